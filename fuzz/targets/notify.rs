//! What a service says through its notification socket.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rc_sv_exec::sd_notify::{parse, Access, Message, Phase, Store, Watchdog, LONGEST};
use rc_sv_fuzz::bounded;

fuzz_target!(|datagram: &[u8]| {
    let Some(message) = bounded(4 * LONGEST, || parse(datagram)) else {
        let end = datagram.len().saturating_sub(1);
        assert!(datagram.len() > LONGEST || datagram[..end].contains(&0));
        return;
    };
    assert!(datagram.len() <= LONGEST);
    let status = message.status.as_deref().unwrap_or_default();
    assert!(status.len() <= 120 && !status.contains(char::is_control));
    assert!(message.name.as_ref().is_none_or(|name| name.len() <= 255));
    assert!(message.errno.is_none_or(|errno| errno > 0));
    assert!(message.main_pid.is_none_or(|pid| pid > 1));
    let waits = [message.extend, message.watchdog_interval];
    assert!(waits.into_iter().flatten().max() <= Some(rc_sv_api::duration::MAX));
    if message.barrier {
        let alone = Message {
            barrier: true,
            ..Message::default()
        };
        assert_eq!(message, alone, "a barrier with something else");
    }
    assert_eq!(parse(said(&message).as_bytes()), Some(message));
});

/// The datagram of a message.
fn said(message: &Message) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{name}={value}")));
    };
    let one = |is: bool| is.then(|| "1".to_string());
    line("READY", one(message.phase == Some(Phase::Ready)));
    line("RELOADING", one(message.phase == Some(Phase::Reloading)));
    line("STOPPING", one(message.phase == Some(Phase::Stopping)));
    line("STATUS", message.status.clone());
    line("ERRNO", message.errno.map(|errno| errno.to_string()));
    line("EXIT_STATUS", message.exit_status.map(|it| it.to_string()));
    line("MAINPID", message.main_pid.map(|pid| pid.to_string()));
    let micros = |wait: std::time::Duration| wait.as_micros().to_string();
    line("EXTEND_TIMEOUT_USEC", message.extend.map(micros));
    line("WATCHDOG_USEC", message.watchdog_interval.map(micros));
    let word = |word: &str| Some(word.to_string());
    let watchdog = message.watchdog.and_then(|watchdog| match watchdog {
        Watchdog::Alive => word("1"),
        Watchdog::Trigger => word("trigger"),
    });
    line("WATCHDOG", watchdog);
    let access = message.access.and_then(|access| match access {
        Access::Nobody => word("none"),
        Access::Main => word("main"),
        Access::All => word("all"),
    });
    line("NOTIFYACCESS", access);
    line("FDSTORE", one(message.store == Some(Store::Keep)));
    line("FDSTOREREMOVE", one(message.store == Some(Store::Remove)));
    line("FDNAME", message.name.clone());
    line("FDPOLL", message.unwatched.then(|| "0".to_string()));
    line("BARRIER", one(message.barrier));
    lines.join("\n")
}
