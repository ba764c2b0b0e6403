use super::*;
use rc_sv_api::ServiceName;
use std::os::unix::fs::PermissionsExt;

#[test]
fn what_is_kept_comes_back_until_the_next_boot() {
    let svcdir = std::env::temp_dir().join(format!("rc-sv-state-{}", std::process::id()));
    std::fs::create_dir(&svcdir).unwrap();
    std::fs::set_permissions(&svcdir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let dir = Dir::make_service(&svcdir, &ServiceName::new(b"foo").unwrap()).unwrap();
    assert!(StateFile::find(&dir).unwrap().is_none());
    let mut state = StateFile::make(&dir).unwrap();
    assert_eq!((state.kept(), state.left(Who::Main)), (None, None));
    let kept = Kept {
        index: 7,
        service: vec![3; SAVED_MOST],
    };
    state.keep(&kept).unwrap();
    let who = AsOf {
        pid: 4711,
        boot_ms: 99,
        handle: Handle::of_number(5),
    };
    let all = [
        Who::Main,
        Who::Hook(Hook::Finish),
        Who::Hook(Hook::GiveUp),
        Who::Hook(Hook::Alternate),
        Who::Hook(Hook::Unhealthy),
        Who::Hook(Hook::Script),
        Who::Attendant(Which::Output, Role::Logger),
        Who::Attendant(Which::Output, Role::Program),
        Who::Attendant(Which::Error, Role::Logger),
        Who::Attendant(Which::Error, Role::Program),
        Who::Alert,
        Who::Dependents,
        Who::Look(0),
        Who::Look(LOOKS - 1),
    ];
    assert!(!state.has_looks());
    state.make_room_for_looks().unwrap();
    for (number, place) in (1..).zip(all) {
        state.leave(place, Left { number, who }).unwrap();
    }
    let again = StateFile::find(&dir).unwrap().unwrap();
    assert_eq!(again.kept(), Some(kept.clone()));
    for (number, place) in (1..).zip(all) {
        assert_eq!(again.left(place), Some(Left { number, who }));
    }
    // What the version before writes: a word, and no handle.
    let place = Who::Main.places().0 as u64;
    for (number, pid) in [(2, 4711), (1, 4712)] {
        let unknown = AsOf {
            pid,
            handle: None,
            ..who
        };
        let left = Left {
            number,
            who: unknown,
        };
        state.file.write_all_at(&left.encode(), place).unwrap();
        assert_eq!(again.left(Who::Main), Some(left), "whose handle is it?");
    }
    // A new one does not take away what is there.
    assert_eq!(StateFile::make(&dir).unwrap().kept(), Some(kept));
    // A bit that fell over.
    state
        .file
        .write_all_at(&[4], (KEPT + FRONT + 9) as u64)
        .unwrap();
    assert_eq!(again.kept(), None);
    state.file.write_all_at(b"x", 20).unwrap();
    assert!(StateFile::find(&dir).unwrap().is_none(), "of another boot");
    assert_eq!(StateFile::make(&dir).unwrap().left(Who::Main), None);
    StateFile::remove(&dir);
    assert!(StateFile::find(&dir).unwrap().is_none());
    std::fs::remove_dir_all(svcdir).unwrap();
}
