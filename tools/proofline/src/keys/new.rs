//! `proofline keys new`.

use proofline_seal::generate_entry;
use proofline_settings::ExposeSecret;

use crate::output::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The key's id, 1 to 16 of a-z and 0-9, never used before; random unless given.
    #[arg(long)]
    id: Option<String>,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let id = match &arguments.id {
        Some(id) => id.clone(),
        None => format!("k{:08x}", getrandom::u32()?),
    };
    say(generate_entry(&id)?.expose_secret());
    Ok(())
}
