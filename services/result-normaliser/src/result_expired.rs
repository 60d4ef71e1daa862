//! When a sealed result has been kept long enough: destroy its key.

use proofline_journal::{
    Due, Vault,
    worker::{Delivery, Failure, Handled},
};

pub(crate) async fn handle(vault: Vault, delivery: Delivery<Due>) -> Result<Handled, Failure> {
    let key = &delivery.message.key;
    vault.erase(key).await?;
    tracing::info!(verification.id = %key.id, tenant = %key.tenant, "the result has expired");
    Ok(Handled::Done)
}
