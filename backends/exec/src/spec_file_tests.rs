//! Tests of the file's format: random specs, each kind of damage.

use super::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rc_sv_api::ServiceName;

fn bytes_without_nul() -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 0..20)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        bytes_without_nul().prop_map(Value::Text),
        any::<i64>().prop_map(Value::Int),
        vec(bytes_without_nul(), 0..6).prop_map(Value::List),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    btree_map("[a-z_0-9é]{1,12}", value(), 0..8).prop_map(|settings| {
        let mut spec = Spec::default();
        for (name, value) in settings {
            spec.put(&name, value);
        }
        spec
    })
}

fn sample() -> Spec {
    let mut spec = Spec::default();
    spec.put(
        "argv",
        Value::List(vec![b"/bin/x".to_vec(), Vec::new(), b"\xff\n".to_vec()]),
    );
    spec.put("umask", Value::Int(0o22));
    spec.put("service", Value::Text(b"foo".to_vec()));
    spec
}

/// A body with a right checksum.
fn sealed(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [MAGIC, b"\0"].concat();
    for field in fields {
        bytes.extend_from_slice(field);
        bytes.push(0);
    }
    let trailer = trailer(&bytes);
    bytes.extend_from_slice(&trailer);
    bytes
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(spec in spec()) {
        let bytes = encode(&spec).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), spec);
    }

    #[test]
    fn any_bytes_are_refused_or_are_the_one_encoding(
        fields in vec(bytes_without_nul(), 0..12),
        noise in vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(decode(&noise).is_err());
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let bytes = sealed(&fields);
        if let Ok(spec) = decode(&bytes) {
            prop_assert_eq!(encode(&spec).unwrap(), bytes);
        }
    }

    #[test]
    fn fields_that_look_right_are_refused_or_are_the_one_encoding(
        fields in vec(prop_oneof!["[tnl]", "[ab]", "-?[0-3]{1,2}", "[+]1"], 0..12),
    ) {
        let fields: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        let bytes = sealed(&fields);
        if let Ok(spec) = decode(&bytes) {
            prop_assert_eq!(encode(&spec).unwrap(), bytes);
        }
    }
}

#[test]
fn each_damaged_byte_and_each_cut_is_found() {
    let bytes = encode(&sample()).unwrap();
    for index in 0..bytes.len() {
        assert_eq!(decode(&bytes[..index]).unwrap_err().code, Code::Protocol);
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1 << bit;
            assert!(decode(&damaged).is_err(), "bit {bit} of byte {index}");
        }
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(decode(&longer).is_err());
    assert_eq!(decode(&bytes).unwrap(), sample());
}

#[test]
fn only_the_canonical_form_is_read() {
    assert!(decode(&sealed(&[b"t", b"a", b"x"])).is_ok());
    let foreign: [&[&[u8]]; 9] = [
        &[b"t", b"", b"x"],
        &[b"t", b"b", b"x", b"t", b"a", b"x"],
        &[b"t", b"a", b"x", b"t", b"a", b"x"],
        &[b"n", b"a", b"01"],
        &[b"n", b"a", b"x"],
        &[b"l", b"a", b"2", b"x"],
        &[b"l", b"a", b"-1"],
        &[b"l", b"a", b"9223372036854775807"],
        &[b"x", b"a", b"x"],
    ];
    for fields in foreign {
        assert!(decode(&sealed(fields)).is_err(), "{fields:?}");
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let mut nul = Spec::default();
    nul.put("argv", Value::List(vec![b"a\0b".to_vec()]));
    assert!(encode(&nul).unwrap_err().message.contains("NUL"));
    let mut large = Spec::default();
    large.put("argv", Value::List(vec![vec![b'x'; 1 << 20]; 8]));
    assert!(encode(&large)
        .unwrap_err()
        .message
        .contains("larger than 8 MiB"));
    let too_large = vec![0; MAX_SIZE + 1];
    assert!(decode(&too_large)
        .unwrap_err()
        .message
        .contains("larger than 8 MiB"));
}

#[test]
fn the_largest_spec_is_kept() {
    let mut spec = Spec::default();
    let overhead = encode(&Spec::default()).unwrap().len() + b"t\0a\0\0".len();
    spec.put("a", Value::Text(vec![b'x'; MAX_SIZE - overhead]));
    let bytes = encode(&spec).unwrap();
    assert_eq!(bytes.len(), MAX_SIZE);
    assert_eq!(decode(&bytes).unwrap(), spec);
}

#[test]
fn an_edition_is_that_of_one_writing_and_of_no_other() {
    let svcdir = tempfile::tempdir().unwrap();
    let service = ServiceName::new(b"foo").unwrap();
    let dir = Dir::make_service(svcdir.path(), &service).unwrap();
    let path = Dir::path_of_service(svcdir.path(), &service).join(NAME);
    assert!(Edition::at(&path).is_err());
    let mut seen = Vec::new();
    for _ in 0..100 {
        write(&dir, &sample()).unwrap();
        let (encoded, edition) = read_edition(&dir).unwrap();
        assert_eq!(encoded.to_spec(), sample());
        assert_eq!(Edition::at(&path).unwrap(), edition);
        assert!(!seen.contains(&edition), "{edition:?} was there before");
        seen.push(edition);
    }
}
