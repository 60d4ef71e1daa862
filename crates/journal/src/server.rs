//! What the NATS server must be.

use tokio::time::timeout;

use crate::{Connection, Error, connection::REQUEST_TIMEOUT, topology::MAX_DOCUMENT_BYTES};

/// An older server ignores guards silently.
const OLDEST: (u32, u32) = (2, 14);

/// Waits for the connection: it is made in the background, and tells nothing of its server before.
pub(crate) async fn wait_until_connected(connection: &Connection) -> Result<(), Error> {
    let flushed = timeout(REQUEST_TIMEOUT, connection.nats()?.client.flush()).await;
    flushed.map_err(|_| Error::unavailable("there is no connection"))?.map_err(Error::unavailable)
}

/// The version of the server, if it is new enough.
///
/// # Errors
/// [`Error::Refused`] with both versions; [`Error::Unavailable`] without a connection.
pub async fn check_version(connection: &Connection) -> Result<String, Error> {
    wait_until_connected(connection).await?;
    let version = connection.nats()?.client.server_info().version;
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < OLDEST {
        let (major, minor) = OLDEST;
        return Err(Error::Refused(format!(
            "NATS {major}.{minor} or later is needed, this is {version}"
        )));
    }
    Ok(version)
}

/// The largest message of the server in bytes, if no result can be larger.
///
/// # Errors
/// [`Error::Refused`] with both sizes; [`Error::Unavailable`] without a connection.
pub async fn check_max_payload(connection: &Connection) -> Result<usize, Error> {
    wait_until_connected(connection).await?;
    let allowed = connection.nats()?.client.server_info().max_payload;
    if allowed < MAX_DOCUMENT_BYTES {
        return Err(Error::Refused(format!(
            "max_payload of the NATS server must be at least {MAX_DOCUMENT_BYTES} bytes (a little more for headers), it is {allowed}"
        )));
    }
    Ok(allowed)
}
