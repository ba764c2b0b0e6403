use super::super::making::Making;
use super::super::process::Process;
use super::super::state_file::StateFile;
use super::*;
use rc_sv_api::ServiceName;
use rc_sv_exec::launch::Launch;
use rc_sv_exec::place::Dir;
use rc_sv_exec::process::open_process;
use std::os::unix::fs::PermissionsExt;

fn own(run: u32) -> Process {
    let pid = std::process::id() as i32;
    Process::made(run, pid, open_process(pid).unwrap())
}

/// A supervisor that was stopped for a while gives up waiting for a process that is being made. The
/// word of that one must stay: without it the next supervisor would make it once more.
#[test]
fn the_word_of_one_that_is_being_made_stays() {
    let svcdir = std::env::temp_dir().join(format!("rc-sv-words-{}", std::process::id()));
    std::fs::create_dir(&svcdir).unwrap();
    std::fs::set_permissions(&svcdir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let dir = Dir::make_service(&svcdir, &ServiceName::new(b"foo").unwrap()).unwrap();
    let word = |slot: &Slot| {
        let left = slot.state.as_ref().unwrap().left(Who::Main);
        left.map(|left| (left.number, left.who.pid))
    };
    // The end of the first one was not taken in yet.
    let mut slot = Slot::default();
    slot.processes.push(own(1));
    slot.state = Some(StateFile::make(&dir).unwrap());
    slot.leave_words(50);
    let pid = std::process::id() as i32;
    assert_eq!(word(&slot), Some((1, pid)));
    let launch = Launch::plain(&["/bin/true".into()]).unwrap();
    slot.making = Some(Box::new(Making::new(2, launch)));
    let next = Left {
        number: 2,
        who: AsOf {
            pid: 4711,
            boot_ms: 60,
            handle: None,
        },
    };
    slot.state.as_ref().unwrap().leave(Who::Main, next).unwrap();
    slot.leave_words(70);
    assert_eq!(word(&slot), Some((2, 4711)));
    // Once it is known, it is the one that word is left of.
    slot.making = None;
    slot.processes.push(own(3));
    slot.leave_words(80);
    assert_eq!(word(&slot), Some((3, pid)));
    std::fs::remove_dir_all(&svcdir).unwrap();
}
