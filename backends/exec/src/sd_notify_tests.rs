use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn read(text: &str) -> Message {
    parse(text.as_bytes()).unwrap()
}

#[test]
fn each_word_of_the_protocol_is_known() {
    let all = "READY=1\nSTATUS=Serving 3\nERRNO=98\nEXIT_STATUS=3\nMAINPID=42\n\
               EXTEND_TIMEOUT_USEC=1500000\nWATCHDOG=1\nWATCHDOG_USEC=20000\nNOTIFYACCESS=all\n\
               FDSTORE=1\nFDNAME=listen\nFDPOLL=0\nX_OWN=1\nnonsense\n";
    let expected = Message {
        phase: Some(Phase::Ready),
        status: Some("Serving 3".into()),
        errno: Some(98),
        exit_status: Some(3),
        main_pid: Some(42),
        extend: Some(Duration::from_millis(1500)),
        watchdog: Some(Watchdog::Alive),
        watchdog_interval: Some(Duration::from_millis(20)),
        access: Some(Access::All),
        store: Some(Store::Keep),
        name: Some("listen".into()),
        unwatched: true,
        barrier: false,
    };
    assert_eq!(read(all), expected);
    assert_eq!(read("FDSTOREREMOVE=1").store, Some(Store::Remove));
    assert_eq!(read("WATCHDOG=trigger").watchdog, Some(Watchdog::Trigger));
    for (word, access) in [("none", Access::Nobody), ("exec", Access::Main)] {
        assert_eq!(read(&format!("NOTIFYACCESS={word}")).access, Some(access));
    }
}

#[test]
fn the_last_phase_counts_and_of_the_rest_the_first() {
    assert_eq!(read("READY=1\nSTOPPING=1").phase, Some(Phase::Stopping));
    assert_eq!(read("RELOADING=1\nREADY=1").phase, Some(Phase::Ready));
    assert_eq!(read("MAINPID=5\nMAINPID=6").main_pid, Some(5));
    assert_eq!(read("MAINPID=x\nMAINPID=6").main_pid, Some(6));
}

#[test]
fn what_is_malformed_says_nothing() {
    let nothing = [
        "",
        "\n\n",
        "READY",
        "READY=",
        "READY=2",
        "READY=1 ",
        " READY=1",
        "ready=1",
        "xREADY=1",
        "MAINPID=1",
        "MAINPID=0",
        "MAINPID=-5",
        "MAINPID=+5",
        "MAINPID=99999999999",
        "MAINPID= 5",
        "ERRNO=0",
        "EXIT_STATUS=256",
        "WATCHDOG_USEC=1s",
        "EXTEND_TIMEOUT_USEC=",
        "FDNAME=",
        "FDNAME=a:b",
        "FDNAME=a\tb",
        "NOTIFYACCESS=root",
        "FDPOLL=1",
        "WATCHDOG=0",
    ];
    for text in nothing {
        assert_eq!(read(text), Message::default(), "{text:?}");
    }
    assert_eq!(parse(b"STATUS=\xff"), Some(Message::default()));
}

#[test]
fn what_is_too_long_or_has_a_nul_is_dropped() {
    assert_eq!(parse(b"READY=1\0").unwrap().phase, Some(Phase::Ready));
    assert_eq!(parse(b"READY=1\0\0"), None);
    assert_eq!(parse(b"READY=1\0STATUS=x"), None);
    let fits = format!("STATUS={}", "x".repeat(LONGEST - 7));
    assert_eq!(read(&fits).status.unwrap().len(), LONGEST_STATUS);
    assert_eq!(parse(format!("{fits}x").as_bytes()), None);
}

#[test]
fn a_status_is_one_line() {
    assert_eq!(read("STATUS=\x1b[1m\tx ").status.unwrap(), "[1m x");
    let long = format!("STATUS={}", "ä".repeat(100));
    assert_eq!(read(&long).status.unwrap(), "ä".repeat(LONGEST_STATUS / 2));
}

#[test]
fn a_barrier_comes_alone() {
    assert!(read("BARRIER=1").barrier);
    assert_eq!(read("BARRIER=1\nREADY=1"), Message::default());
}

proptest! {
    /// Whatever is sent, what is understood of it is bounded and printable.
    #[test]
    fn anything_can_be_sent(datagram in prop_oneof![
        vec(any::<u8>(), 0..200),
        vec("(READY|STATUS|MAINPID|FDNAME|BARRIER|X)=?[ -~\u{e4}\u{1}]{0,12}", 0..8)
            .prop_map(|lines| lines.join("\n").into_bytes()),
    ]) {
        if let Some(message) = parse(&datagram) {
            let status = message.status.unwrap_or_default();
            prop_assert!(status.len() <= LONGEST_STATUS && !status.chars().any(char::is_control));
            prop_assert!(message.main_pid.is_none_or(|pid| pid > 1));
            prop_assert!(message.name.unwrap_or_default().len() <= LONGEST_NAME);
            prop_assert!(message.extend.unwrap_or_default() <= rc_sv_api::duration::MAX);
        }
    }

    /// A message means the same wherever its lines end.
    #[test]
    fn empty_lines_mean_nothing(pid in 2..i32::MAX, blank in "\n{0,3}") {
        let text = format!("{blank}MAINPID={pid}\n{blank}READY=1{blank}");
        let message = read(&text);
        prop_assert_eq!((message.main_pid, message.phase), (Some(pid), Some(Phase::Ready)));
    }
}
