//! A certificate authority that nobody else trusts, and what it has signed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Files in PEM form.
pub(super) struct Certificates {
    pub(super) authority: PathBuf,
    /// For servers on this machine, which are clients of each other too.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// Makes them in this folder.
pub(super) fn make(folder: &Path) -> Certificates {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();

    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut server = CertificateParams::new(names).unwrap();
    server.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let server_key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let server = server.signed_by(&server_key, &issuer).unwrap();

    fs::create_dir_all(folder).unwrap();
    let file = |name: &str, pem: String| {
        let path = folder.join(name);
        fs::write(&path, pem).unwrap();
        path
    };
    Certificates {
        authority: file("ca.crt", authority_certificate.pem()),
        certificate: file("tls.crt", server.pem()),
        key: file("tls.key", server_key.serialize_pem()),
    }
}
