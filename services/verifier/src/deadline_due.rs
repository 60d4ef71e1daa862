//! When a deadline has come: signal to look once more, unless there is an end already.

use proofline_ambient::clock;
use proofline_events::v1::SignalSource;
use proofline_journal::{
    Due, Journal, Signal, SignalSink,
    worker::{Delivery, Failure, Handled},
};

pub(crate) async fn handle(
    journal: Journal,
    signals: SignalSink,
    delivery: Delivery<Due>,
) -> Result<Handled, Failure> {
    let key = &delivery.message.key;
    let now = clock::now();
    let history = journal.read(key).await?;
    if history.open().is_some() {
        history.link_to_origin();
        let signal = Signal::new("deadline".to_owned(), SignalSource::Deadline);
        signals.append(key, signal, now).await?;
        tracing::info!(verification.id = %key.id, tenant = %key.tenant, "the deadline has come");
    }
    Ok(Handled::Done)
}
