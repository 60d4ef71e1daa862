use proptest::prelude::*;

use super::*;
use crate::example_keys::{NEW, OLD, keyring};

const ACME: Subject<'static> = Subject { tenant: "acme", verification_id: "vrf_1" };

fn fixed() -> DataKey {
    DataKey(Zeroizing::new([7; KEY_BYTES]))
}

#[test]
fn repetitive_documents_shrink_and_equal_ones_differ_when_sealed() {
    let key = DataKey::generate();
    let document = vec![b'a'; 100_000];
    let sealed = key.seal(ACME, "result", &document);
    assert!(sealed.len() < 1_000);
    assert_ne!(sealed, key.seal(ACME, "result", &document));
    assert_eq!(key.open(ACME, "result", &sealed).unwrap(), document);
}

#[test]
fn unpacking_stops_at_the_limit() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&[0; 4096]).unwrap();
    let bomb = encoder.finish().unwrap();
    assert_eq!(inflate(&bomb, 4096).unwrap().len(), 4096);
    assert_eq!(inflate(&bomb, 4095), Err(OpenError::TooLarge { limit: 4095 }));
}

#[test]
fn a_wrapped_key_opens_after_rotation_and_names_a_missing_key() {
    let wrapped = keyring(OLD).wrap(&fixed(), ACME);
    for rotated in [format!("{OLD},{NEW}"), format!("{NEW},{OLD}")] {
        assert_eq!(*keyring(&rotated).unwrap(&wrapped, ACME).unwrap().0, *fixed().0);
    }
    let gone = keyring(NEW).unwrap(&wrapped, ACME).unwrap_err();
    assert_eq!(gone, OpenError::UnknownKey("old".into()));
}

#[test]
fn a_wrapped_key_is_bound_to_its_subject_and_keyring() {
    let wrapped = keyring(OLD).wrap(&fixed(), ACME);
    let other_tenant = Subject { tenant: "other", ..ACME };
    let other_id = Subject { verification_id: "vrf_2", ..ACME };
    for subject in [other_tenant, other_id] {
        assert_eq!(keyring(OLD).unwrap(&wrapped, subject).unwrap_err(), OpenError::Forged);
    }
    let derived = keyring(OLD).derive("tokens");
    assert_eq!(derived.unwrap(&wrapped, ACME).unwrap_err(), OpenError::Forged);
}

#[test]
fn a_document_opens_for_its_own_subject_kind_and_key_alone() {
    let sealed = fixed().seal(ACME, "result", b"personal");
    for tenant in ["acme", "other", "acmevrf_1", ""] {
        for verification_id in ["vrf_1", "vrf_2", "", "acme"] {
            for kind in ["result", "next-action", ""] {
                let subject = Subject { tenant, verification_id };
                let opened = fixed().open(subject, kind, &sealed);
                let own = subject == ACME && kind == "result";
                assert_eq!(opened.is_ok(), own, "{subject:?} {kind}");
            }
        }
    }
    let other_key = DataKey::generate().open(ACME, "result", &sealed);
    assert_eq!(other_key, Err(OpenError::Forged));
}

/// Sealed by the first version of this crate: data outlives releases, so these must open for ever.
#[test]
fn what_earlier_versions_sealed_still_opens() {
    let wrapped = "01036f6c6471f689d4c7fb6890ae634c122d6d2a8498687c62054cfaaf6317af377100263e24331f91b4607d\
                   b5997d030e0e12f1f1ed37dc56873d5f16ec923791248f5fb4d400b143d4c2fb66";
    let sealed = "01c5481102b1cb456f41a74fb51475a7920b68f4f9df0b9ccbb605ab42f6ded9b08da8887d1c329580eefa7d\
                  f748a71fa2f5ad";
    let data_key = keyring(OLD).unwrap(&from_hex(wrapped), ACME).unwrap();
    assert_eq!(data_key.open(ACME, "result", &from_hex(sealed)).unwrap(), b"personal");
}

#[test]
fn debug_output_shows_no_key() {
    assert_eq!(format!("{:?}", fixed()), "DataKey(***)");
}

proptest! {
    #[test]
    fn what_was_sealed_opens_again(document in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let key = fixed();
        let sealed = key.seal(ACME, "result", &document);
        prop_assert_eq!(key.open(ACME, "result", &sealed).unwrap(), document);
    }

    #[test]
    fn any_flipped_bit_or_cut_is_noticed(bit in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let sealed = fixed().seal(ACME, "result", b"personal");
        let wrapped = keyring(OLD).wrap(&fixed(), ACME);

        let flipped = flip(&sealed, bit);
        prop_assert_eq!(fixed().open(ACME, "result", &flipped), Err(OpenError::Forged));
        let truncated = &sealed[..cut.index(sealed.len())];
        prop_assert_eq!(fixed().open(ACME, "result", truncated), Err(OpenError::Forged));

        prop_assert!(keyring(OLD).unwrap(&flip(&wrapped, bit), ACME).is_err());
        prop_assert!(keyring(OLD).unwrap(&wrapped[..cut.index(wrapped.len())], ACME).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(fixed().open(ACME, "result", &bytes), Err(OpenError::Forged));
        prop_assert!(keyring(OLD).unwrap(&bytes, ACME).is_err());
    }
}

fn flip(bytes: &[u8], bit: prop::sample::Index) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    let bit = bit.index(flipped.len() * 8);
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
