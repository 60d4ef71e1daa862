//! Images on their way are nowhere whole. `benches/upload_memory.rs` measures the promise itself.

use super::harness::{Growth, Plan, at_once};

#[tokio::test]
async fn many_images_at_once_need_a_fraction_of_their_size() {
    let (count, size) = (24, 4 << 20);
    let fleet = Plan::new().start().await;
    at_once(&fleet, "warm", 1, size).await;

    let growth = Growth::begin(&fleet).await;
    at_once(&fleet, "many", count, size).await;
    let grown = growth.end();

    let whole = (count * size) as u64;
    assert!(grown < whole / 3, "{grown} bytes for {whole}");
}
