//! The beginning of an answer over HTTP, which is all that is looked at.

use super::Outcome;

/// A status line with all that may be in front of it fits into this; more is no HTTP.
pub(super) const LONGEST: usize = 4096;

/// What the bytes that came so far mean; `None` while the status line is not complete. `ended`:
/// nothing more will come.
pub(super) fn judge(bytes: &[u8], ended: bool) -> Option<(Outcome, String)> {
    let mut headers = [httparse::EMPTY_HEADER; 0];
    let mut response = httparse::Response::new(&mut headers);
    // Without room for headers the status line is all that can be read; it is read first.
    let parsed = response.parse(bytes);
    if let Some(code) = response.code {
        return Some(match code {
            200..=399 => (Outcome::Pass, String::new()),
            _ => (Outcome::Fail, format!("answers with status {code}")),
        });
    }
    let malformed = !matches!(parsed, Ok(httparse::Status::Partial));
    match (malformed, ended || bytes.len() >= LONGEST) {
        (false, false) => None,
        _ if bytes.is_empty() => Some((Outcome::Fail, "closes without an answer".into())),
        _ => Some((Outcome::Fail, "answers, but not in HTTP".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn the_status_decides() {
        for (code, outcome) in [
            (200, Outcome::Pass),
            (204, Outcome::Pass),
            (302, Outcome::Pass),
        ] {
            let answer = format!("HTTP/1.1 {code} x\r\nA: b\r\n\r\nbody");
            assert_eq!(
                judge(answer.as_bytes(), false),
                Some((outcome, String::new()))
            );
        }
        for code in [100, 199, 400, 404, 500, 503] {
            let answer = format!("HTTP/1.0 {code}\r\n");
            let said = format!("answers with status {code}");
            assert_eq!(judge(answer.as_bytes(), false), Some((Outcome::Fail, said)));
        }
    }

    #[test]
    fn it_is_waited_for_until_it_is_clear() {
        let answer = b"HTTP/1.1 200 OK\r\n";
        for end in 0..b"HTTP/1.1 200".len() {
            assert_eq!(judge(&answer[..end], false), None, "{end}");
            let (outcome, _) = judge(&answer[..end], true).unwrap();
            assert_eq!(outcome, Outcome::Fail, "{end}");
        }
        assert_eq!(judge(answer, false).unwrap().0, Outcome::Pass);
    }

    #[test]
    fn what_is_no_http_is_a_failure() {
        for answer in [&b"SSH-2.0-OpenSSH\r\n"[..], b"220 mail\r\n", b"\xff\xff"] {
            let said = "answers, but not in HTTP".to_string();
            assert_eq!(judge(answer, false), Some((Outcome::Fail, said)));
        }
        let endless = [b"HTTP/1.1 200 ", &[b'x'; LONGEST][..]].concat();
        assert!(judge(&endless[..LONGEST], false).is_some());
    }

    proptest! {
        /// Whatever answers, there is an end to it, and the words are ours.
        #[test]
        fn anything_can_answer(bytes in prop_oneof![
            vec(any::<u8>(), 0..64),
            "(HTTP/1\\.[01] )?[0-9]{0,4}[ -~\r\n]{0,20}".prop_map(String::into_bytes),
        ]) {
            let (outcome, said) = judge(&bytes, true).unwrap();
            prop_assert_eq!(outcome == Outcome::Pass, said.is_empty());
            prop_assert!(said.len() < 60 && said.is_ascii());
        }
    }
}
