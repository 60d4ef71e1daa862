//! Document flow, the provider's own page.

use super::{rows::each_end_of, way::Way};
use crate::harness::Stage;

#[tokio::test]
async fn web_id_verifies_on_its_own_page() {
    let stage = Stage::start().await;

    each_end_of(&stage, &[Way::page("videoid"), Way::page("accountid")]).await;
}
