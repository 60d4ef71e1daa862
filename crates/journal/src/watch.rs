//! Whether the streams are there, for readiness: asked in the background, known at once.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinHandle, time::interval};

use crate::{Connection, Error};

const EVERY: Duration = Duration::from_secs(1);

/// Tells whether a probe succeeded lately. The probing ends with its owner.
#[derive(Debug)]
pub struct StreamWatch {
    connection: Connection,
    is_there: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl StreamWatch {
    /// Begins to probe.
    pub(crate) fn begin<P, F>(connection: Connection, probe: P) -> Arc<Self>
    where
        P: Fn() -> F + Send + 'static,
        F: Future<Output = Result<(), Error>> + Send,
    {
        let is_there = Arc::new(AtomicBool::new(false));
        let result = Arc::clone(&is_there);
        let task = tokio::spawn(async move {
            let mut tick = interval(EVERY);
            loop {
                tick.tick().await;
                let probed = probe().await;
                if result.swap(probed.is_ok(), Ordering::Relaxed) != probed.is_ok() {
                    match probed {
                        Ok(()) => tracing::info!("the streams are there"),
                        Err(error) => tracing::warn!(%error, "the streams are not there"),
                    }
                }
            }
        });
        Arc::new(Self { connection, is_there, task })
    }

    /// Whether NATS is connected and the streams are there.
    ///
    /// # Errors
    /// A sentence for operators.
    pub fn check(&self) -> Result<(), String> {
        self.connection.is_connected()?;
        if self.is_there.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err("the streams are not there (proofline provision makes them)".to_owned())
        }
    }
}

impl Drop for StreamWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
