use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::example_keys::{NEW, OLD, keyring};

const NOW: OffsetDateTime = datetime!(2031-05-06 07:08:09 UTC);
const PURPOSES: [Purpose; 3] = [Purpose::Callback, Purpose::Return, Purpose::Upload];

fn capability(purpose: Purpose) -> Capability {
    Capability {
        purpose,
        tenant: "acme".into(),
        verification_id: "vrf_1".into(),
        expires_at: NOW + Duration::HOUR,
        detail: None,
    }
}

#[test]
fn a_token_is_good_for_its_purpose_alone() {
    for minted in PURPOSES {
        let token = keyring(OLD).mint(&capability(minted));
        for presented in PURPOSES {
            let redeemed = keyring(OLD).redeem(presented, &token, NOW);
            if presented == minted {
                assert_eq!(redeemed.unwrap().capability, capability(minted));
            } else {
                assert_eq!(redeemed, Err(CapabilityError::Unauthentic));
            }
        }
    }
}

#[test]
fn a_token_ends_at_its_time() {
    let token = keyring(OLD).mint(&capability(Purpose::Upload));
    let redeem = |now| keyring(OLD).redeem(Purpose::Upload, &token, now);
    let end = NOW + Duration::HOUR;
    assert!(redeem(end - Duration::MILLISECOND).is_ok());
    assert_eq!(redeem(end), Err(CapabilityError::Expired));
}

#[test]
fn tokens_and_authorization_outlive_rotation_until_their_key_is_gone() {
    let (token, authorization) = keyring(OLD).mint_callback(&capability(Purpose::Callback));
    for rotated in [format!("{OLD},{NEW}"), format!("{NEW},{OLD}")].map(|text| keyring(&text)) {
        let redeemed = rotated.redeem(Purpose::Callback, &token, NOW).unwrap();
        assert_eq!(redeemed.key_id, "old");
        assert!(redeemed.authorizes(&rotated, authorization.expose_secret()));
    }
    let gone = keyring(NEW).redeem(Purpose::Callback, &token, NOW);
    assert_eq!(gone, Err(CapabilityError::Unauthentic));
}

#[test]
fn authorization_belongs_to_one_capability() {
    let keyring = keyring(OLD);
    let mint = |change: fn(&mut Capability)| {
        let mut capability = capability(Purpose::Callback);
        change(&mut capability);
        keyring.mint_callback(&capability)
    };
    let (token, own) = mint(|_| ());
    let redeemed = keyring.redeem(Purpose::Callback, &token, NOW).unwrap();
    assert!(redeemed.authorizes(&keyring, own.expose_secret()));

    let others = [
        mint(|c| c.verification_id = "vrf_2".into()),
        mint(|c| c.tenant = "other".into()),
        mint(|c| c.expires_at += Duration::SECOND),
        mint(|c| c.purpose = Purpose::Return),
    ];
    for (_, other) in others {
        assert!(!redeemed.authorizes(&keyring, other.expose_secret()));
    }
    for wrong in ["", "Bearer ", "Bearer x", &own.expose_secret()["Bearer ".len()..]] {
        assert!(!redeemed.authorizes(&keyring, wrong));
    }
    assert!(!redeemed.authorizes(&keyring.derive("tokens"), own.expose_secret()));
}

/// Minted by the first version of this crate: the callbacks of processes in flight outlive a release.
#[test]
fn what_earlier_versions_minted_is_still_redeemed() {
    let token = "old.CgX3UFaCuuu54Fmxqb6Ll8-L6IG2Engg8XgDYrVsgszZ2itmP03W2iatM7pzPHTiN0dIPT_o2Jto1p5i6XGEWk4N4vyF-arb";
    let authorization = "Bearer GTvxsBmn146Beo7bMiVvOAtI3a74J4M1BG7SSkQfKv8";
    let redeemed = keyring(OLD).redeem(Purpose::Callback, token, NOW).unwrap();
    assert_eq!(redeemed.capability, capability(Purpose::Callback));
    assert!(redeemed.authorizes(&keyring(OLD), authorization));
}

#[test]
fn a_token_fits_a_path_and_hides_its_content() {
    let mut capability = capability(Purpose::Return);
    capability.detail = Some("https://app.example/back?session=1".into());
    let token = keyring(OLD).mint(&capability);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
    assert_ne!(token, keyring(OLD).mint(&capability));
    assert!(!format!("{capability:?}").contains("session"));
}

#[test]
fn malformed_tokens_are_told_from_unauthentic_ones() {
    let redeem = |token: &str| keyring(OLD).redeem(Purpose::Return, token, NOW).unwrap_err();
    let short = format!("old.{}", "A".repeat(40));
    let long = format!("old.{}", "A".repeat(MAX_TOKEN_CHARS));
    for token in ["", "old", "old.", "old.a=b", "OLD.AAAA", "../../etc", &short, &long] {
        assert_eq!(redeem(token), CapabilityError::Malformed, "{token}");
    }
    assert_eq!(redeem(&format!("old.{}", "A".repeat(200))), CapabilityError::Unauthentic);
    assert_eq!(redeem(&format!("none.{}", "A".repeat(200))), CapabilityError::Unauthentic);
}

proptest! {
    #[test]
    fn what_was_minted_is_redeemed(
        tenant in "[a-z0-9-]{1,40}", verification_id in "vrf_[0-9a-z]{20,40}",
        seconds in 1_i64..100_000_000, detail in prop::option::of(".{0,1024}"),
    ) {
        for purpose in PURPOSES {
            let minted = Capability {
                purpose,
                tenant: tenant.clone(),
                verification_id: verification_id.clone(),
                expires_at: NOW + Duration::seconds(seconds),
                detail: detail.clone(),
            };
            let token = keyring(OLD).mint(&minted);
            prop_assert_eq!(keyring(OLD).redeem(purpose, &token, NOW).unwrap().capability, minted);
        }
    }

    #[test]
    fn any_changed_or_missing_character_is_noticed(at in any::<prop::sample::Index>(), by in 1_usize..64) {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let token = keyring(OLD).mint(&capability(Purpose::Callback));
        let redeem = |token: &str| keyring(OLD).redeem(Purpose::Callback, token, NOW);

        let mut changed = token.clone().into_bytes();
        let at = at.index(changed.len());
        let place = ALPHABET.iter().position(|byte| *byte == changed[at]).unwrap_or(0);
        changed[at] = ALPHABET[(place + by) % 64];
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(redeem(&changed).is_err());
        prop_assert!(redeem(&token[..at]).is_err());
    }

    #[test]
    fn arbitrary_text_is_never_a_token(text in ".{0,300}") {
        prop_assert!(keyring(OLD).redeem(Purpose::Callback, &text, NOW).is_err());
    }
}
