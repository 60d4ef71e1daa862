//! Who is let in, and how often.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use proofline_events::TenantName;
use proofline_problem::{Code, Problem};
use proofline_service::{Rate, RateSettings};
use proofline_tenants::{Tenant, Tenants};

/// Lets in whoever belongs to a tenant, as often as one tenant may, and tells the others why not,
/// as often as that is worth it. What strangers do takes nothing from tenants, nor one tenant from
/// another.
#[derive(Debug)]
pub struct Admission {
    tenants: Tenants,
    rates: BTreeMap<TenantName, Rate>,
    refusals: Rate,
}

impl Admission {
    /// Of these tenants, at these rates.
    pub fn new(tenants: Tenants, settings: RateSettings) -> Self {
        let rate = |tenant: &Tenant| (tenant.name.clone(), Rate::per_second(settings.requests));
        let rates = tenants.iter().map(rate).collect();
        Self { tenants, rates, refusals: Rate::per_second(settings.refusals) }
    }

    /// The tenant whose API key came as `Authorization: Bearer`.
    ///
    /// # Errors
    /// The problem `unauthorized`, whatever was wrong with the key; 429 when it is too often.
    pub fn by_api_key(&self, headers: &HeaderMap) -> Result<&Tenant, Problem> {
        let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = presented.and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        let tenant = key.and_then(|key| self.tenants.authenticate(key)).ok_or_else(|| {
            let detail = "Send a valid API key as Authorization: Bearer.";
            self.refuse(Problem::new(Code::Unauthorized, detail))
        })?;
        self.count(&tenant.name)?;
        Ok(tenant)
    }

    /// Counts a request that came for this tenant with another proof than its API key.
    ///
    /// # Errors
    /// 429 when it is too often.
    pub fn count(&self, tenant: &TenantName) -> Result<(), Problem> {
        let taken = self.rates.get(tenant).map_or(Ok(()), Rate::take);
        taken.map_err(Problem::too_many_requests)
    }

    /// Why a request is not let in; 429 when that was told too often.
    pub fn refuse(&self, problem: Problem) -> Problem {
        self.refusals.take().map_or_else(Problem::too_many_requests, |()| problem)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use axum::http::{HeaderValue, StatusCode};

    use super::*;

    const SECOND: NonZeroU32 = NonZeroU32::MIN;
    /// As many as come through at once, at one in a second.
    const BURST: usize = 5;

    /// Two tenants whose keys are their names.
    fn admission() -> Admission {
        let tenants = Tenants::parse(
            "[tenants.acme]
            api_key_sha256 = ['822b33ad87c148a0a20a5ba7cd5ebcaa68d36a18e7aad165554903f52ca82757']
            [tenants.other]
            api_key_sha256 = ['d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa']",
        );
        let settings = RateSettings { requests: SECOND, refusals: SECOND };
        Admission::new(tenants.unwrap(), settings)
    }

    fn status(admission: &Admission, authorization: &'static str) -> StatusCode {
        let headers = [(header::AUTHORIZATION, HeaderValue::from_static(authorization))];
        let admitted = admission.by_api_key(&headers.into_iter().collect());
        admitted.map_or_else(|problem| problem.status(), |_| StatusCode::OK)
    }

    #[test]
    fn neither_strangers_nor_another_tenant_take_anything_from_a_tenant() {
        let admission = admission();
        for _ in 0..BURST {
            assert_eq!(status(&admission, "Bearer other"), StatusCode::OK);
            assert_eq!(status(&admission, "Bearer nobody's"), StatusCode::UNAUTHORIZED);
        }
        assert_eq!(status(&admission, "Bearer other"), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(status(&admission, "Bearer nobody's"), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(status(&admission, "bearer  acme"), StatusCode::OK);
    }

    #[test]
    fn a_key_that_is_right_is_let_in_while_wrong_ones_are_refused() {
        let admission = admission();
        for wrong in ["acme", "Basic acme", "Bearer", "Bearer acme2", "Bearer\tacme"] {
            assert_eq!(status(&admission, wrong), StatusCode::UNAUTHORIZED, "{wrong}");
        }
        assert_eq!(status(&admission, "Bearer acme"), StatusCode::OK);
    }
}
