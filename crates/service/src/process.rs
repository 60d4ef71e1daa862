//! The life of a process: from its arguments to its exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use proofline_settings::{Reader, Source};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};
use tracing::{error, info, warn};

use crate::{About, Plan, Ready, Shutdown, core_files, panics, plan, plan::VERSION, telemetry};

/// From the signal to the end of all work; the promise is to be gone within 10 s.
const DRAIN: Duration = Duration::from_secs(9);
/// From the signal to the end of the process, flushing included.
const GONE: Duration = Duration::from_millis(9_800);
/// How long the flush may take at most.
const FLUSH: Duration = Duration::from_secs(5);

const WRONG_SETTINGS: u8 = 2;

/// Runs a service as a process, from the arguments to the exit code.
///
/// Exit codes: 0 after `--help`, `--version` or an end that `run` calls good; 1 when it failed or
/// was still at work 9 s after SIGTERM or SIGINT; 2 for wrong settings or arguments, which are all
/// told on standard error before anything is opened.
pub fn main<S, F>(
    about: About,
    read: fn(&mut Reader) -> Option<S>,
    run: impl FnOnce(S, Shutdown) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    match plan(&about, std::env::args_os().skip(1), &Source::from_env(), read) {
        Plan::Say(text) => {
            write(io::stdout(), &text);
            ExitCode::SUCCESS
        }
        Plan::Refuse(text) => {
            write(io::stderr(), &text);
            ExitCode::from(WRONG_SETTINGS)
        }
        Plan::Run(ready) => start(&about, ready, run),
    }
}

/// Makes *ring* the cryptography of every TLS connection in this process. Does nothing when that
/// was chosen already. [`main`] calls it; tests that build an HTTP client must.
pub fn install_crypto_provider() {
    // An error means that a provider is there already, which is all we ask.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn start<S, F>(about: &About, ready: Ready<S>, run: impl FnOnce(S, Shutdown) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    install_crypto_provider();
    let telemetry = telemetry::init(about.name, &ready.telemetry);
    panics::log_them();
    core_files::forbid();
    info!(version = VERSION, "starting");
    if !ready.unknown.is_empty() {
        let names = ready.unknown.join(", ");
        warn!(names, "settings that this program does not know: meant for another, or misspelt");
    }

    let asked_at = Arc::new(OnceLock::new());
    let result = run_to_the_end(ready.settings, run, &asked_at);
    let code = match result {
        Ok(()) => {
            info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            error!(error = format!("{error:#}"), "failed");
            ExitCode::FAILURE
        }
    };
    telemetry.flush(match asked_at.get() {
        Some(asked_at) => FLUSH.min(GONE.saturating_sub(asked_at.elapsed())),
        None => FLUSH,
    });
    code
}

fn run_to_the_end<S, F>(
    settings: S,
    run: impl FnOnce(S, Shutdown) -> F,
    asked_at: &Arc<OnceLock<Instant>>,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let result = runtime.block_on(async {
        let shutdown = Shutdown::new();
        stop_on_signal(shutdown.clone(), Arc::clone(asked_at))?;
        // On the heap: the whole service is in this future.
        bounded(Box::pin(run(settings, shutdown.clone())), &shutdown, DRAIN).await
    });
    // A blocking call that hangs must not hold the process.
    runtime.shutdown_background();
    result
}

fn stop_on_signal(shutdown: Shutdown, asked_at: Arc<OnceLock<Instant>>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        let signal = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        info!(signal, "asked to stop");
        asked_at.get_or_init(Instant::now);
        shutdown.cancel();
    });
    Ok(())
}

/// Waits for the work; once shutdown is asked, no longer than `drain`.
async fn bounded(
    mut work: impl Future<Output = anyhow::Result<()>> + Unpin,
    shutdown: &Shutdown,
    drain: Duration,
) -> anyhow::Result<()> {
    tokio::select! {
        result = &mut work => return result,
        () = shutdown.cancelled() => {}
    }
    tokio::time::timeout(drain, work)
        .await
        .unwrap_or_else(|_| Err(anyhow!("work was still in flight {drain:?} after the signal")))
}

/// A reader that went away (`--help | head`) is no failure of ours.
fn write(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn work_that_ends_by_itself_gives_its_own_result() {
        let shutdown = Shutdown::new();
        assert!(bounded(ready(Ok(())), &shutdown, DRAIN).await.is_ok());
        assert!(bounded(ready(Err(anyhow!("no"))), &shutdown, DRAIN).await.is_err());
    }

    #[tokio::test]
    async fn work_in_flight_may_finish_after_shutdown_was_asked() {
        let shutdown = Shutdown::new();
        let work = Box::pin({
            let shutdown = shutdown.clone();
            async move {
                shutdown.cancelled().await;
                tokio::task::yield_now().await;
                Ok(())
            }
        });
        shutdown.cancel();
        assert!(bounded(work, &shutdown, DRAIN).await.is_ok());
    }

    #[tokio::test]
    async fn work_that_never_ends_is_given_up_after_the_drain() {
        let shutdown = Shutdown::new();
        shutdown.cancel();
        let drain = Duration::from_millis(1);
        let error = bounded(Box::pin(pending()), &shutdown, drain).await.unwrap_err();
        assert_eq!(error.to_string(), "work was still in flight 1ms after the signal");
    }
}
