//! The way of one process to Assure, and what goes wrong on it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::body::{Body, to_bytes};
use futures_util::{FutureExt, future::BoxFuture};
use proofline_assure::{CALL_TIMEOUT, Lost, Transport};
use reqwest::{Method, Request, RequestBuilder, Response};
use serde_json::Value;
use time::format_description::well_known::Rfc2822;
use tokio::{sync::oneshot, time::timeout};
use url::Url;

use super::calls::{Call, Said};
use crate::{Plant, dice::pass, process::Process, world::World};

/// What a process has of Assure.
pub(crate) struct AssureWire {
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    NoConnection,
    Limited,
    TokenRevoked,
    BrokenBefore,
    FailedBefore,
    FailedAfter,
    BrokenAfter,
    Nonsense,
}

const FAULTS: [Fault; 8] = [
    Fault::NoConnection,
    Fault::Limited,
    Fault::TokenRevoked,
    Fault::BrokenBefore,
    Fault::FailedBefore,
    Fault::FailedAfter,
    Fault::BrokenAfter,
    Fault::Nonsense,
];

impl Transport for AssureWire {
    fn begin(&self, method: Method, url: Url) -> RequestBuilder {
        // It only builds requests: none of them is ever sent by it.
        static BUILDER: OnceLock<reqwest::Client> = OnceLock::new();
        let builder = BUILDER.get_or_init(|| {
            proofline_service::install_crypto_provider();
            let builder = reqwest::Client::builder().no_proxy().build();
            builder.expect("a TLS provider is installed")
        });
        builder.request(method, url)
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Lost>> {
        let patience = request.timeout().copied().unwrap_or(CALL_TIMEOUT);
        async move {
            self.process.runs().await;
            self.world.tempt_fate(&self.process).await;
            let sent = timeout(patience, self.carry(request)).await;
            self.process.runs().await;
            sent.unwrap_or(Err(Lost::TimedOut))
        }
        .boxed()
    }
}

impl AssureWire {
    async fn carry(&self, mut request: Request) -> Result<Response, Lost> {
        let Self { world, process } = self;
        let what = format!("{} {}", request.method(), request.url().path());
        let fault = if world.is_assure_away() {
            Some(*world.dice.pick(&[Fault::NoConnection, Fault::FailedBefore]))
        } else if world.happens(world.profile().assure_fault) {
            Some(*world.dice.pick(&FAULTS))
        } else {
            None
        };
        let [there, back] = [(); 2].map(|()| match world.happens(world.profile().assure_slow) {
            true => world.dice.milliseconds(0..30_000),
            false => world.dice.milliseconds(1..200),
        });
        if let Some(fault) = fault {
            world.trace.say(|| format!("{process}: {what}: {fault:?}"));
        }
        if matches!(fault, Some(Fault::NoConnection)) {
            pass(there).await;
            return Err(Lost::NoConnection);
        }
        let body = request.body_mut().take();
        let is_stream = body.as_ref().is_some_and(|body| body.as_bytes().is_none());
        // What is streamed is only whole at Assure if our side has sent it to its end.
        let body = match body {
            Some(body) => to_bytes(Body::new(body), usize::MAX).await.map_err(|_| Lost::Broken)?,
            None => Default::default(),
        };
        let call = read(&request, &body);
        world.judge.call_is_sent(world, process);
        if let Some(id) = call.starts() {
            world.judge.start_is_sent(process, id);
        }
        match fault {
            Some(Fault::Limited) => return Ok(self.limited(there).await),
            Some(Fault::TokenRevoked) => return Ok(answer(401, &Value::Null)),
            Some(Fault::BrokenBefore) => return Err(Lost::Broken),
            Some(Fault::FailedBefore) => {
                pass(there).await;
                return Ok(answer(503, &Value::Null));
            }
            _ => {}
        }
        let (status, said) = if is_stream {
            pass(there).await;
            if world.is_planted(Plant::ImageSentAgain) {
                self.send_unasked(call.clone());
            }
            if world.is_planted(Plant::StartedUnasked) {
                self.send_unasked(call.start());
            }
            call.take_effect(world)
        } else {
            self.take_effect(call, there).await
        };
        world.trace.say(|| format!("{process}: {what}: {status}"));
        world.tempt_fate_after(process);
        pass(back).await;
        match fault {
            Some(Fault::FailedAfter) => Ok(answer(500, &Value::Null)),
            Some(Fault::BrokenAfter) => Err(Lost::Broken),
            Some(Fault::Nonsense) => Ok(answer(200, &Value::from("?"))),
            _ => Ok(answer(status, &said)),
        }
    }

    /// Once sent it reaches Assure, whatever has become of its sender meanwhile.
    async fn take_effect(&self, call: Call, there: Duration) -> Said {
        let world = Arc::clone(&self.world);
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            pass(there).await;
            drop(tell.send(call.take_effect(&world)));
        });
        told.await.expect("it is always told")
    }

    /// A planted bug's call.
    fn send_unasked(&self, call: Call) {
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            pass(world.dice.milliseconds(1000..10_000)).await;
            call.take_effect(&world);
        });
    }

    async fn limited(&self, there: Duration) -> Response {
        pass(there).await;
        let world = &self.world;
        let seconds = world.dice.number(1..15);
        let until = world.service_time() + Duration::from_secs(seconds);
        let until = until.replace_nanosecond(0).expect("there is a whole second");
        world.judge.wants_to_be_left_alone(until);
        let retry_after = if world.dice.chance(0.3) {
            until.format(&Rfc2822).expect("a year of four digits").replace("+0000", "GMT")
        } else {
            seconds.to_string()
        };
        let response = http::Response::builder().status(429).header("retry-after", retry_after);
        Response::from(response.body(Vec::new()).expect("of the right form"))
    }
}

fn read(request: &Request, body: &[u8]) -> Call {
    let url = request.url();
    let path = url.path_segments().into_iter().flatten().map(ToOwned::to_owned).collect();
    let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    Call {
        method: request.method().clone(),
        path,
        query: query.collect(),
        body: serde_json::from_slice(body).unwrap_or_default(),
    }
}

fn answer(status: u16, said: &Value) -> Response {
    let body = if said.is_null() { Vec::new() } else { said.to_string().into_bytes() };
    let response = http::Response::builder().status(status).body(body);
    Response::from(response.expect("of the right form"))
}
