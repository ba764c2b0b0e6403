//! What another core makes of what one has kept.

use super::bench::{name, Bench};
use super::chance::{act, fate};
use super::world::{plan, World};
use crate::core::{Core, Found, Hook, Id, SAVED_MOST};
use proptest::prelude::*;
use rc_sv_api::exit::Exit;
use rc_sv_api::State;

/// Another core in place of that of the bench, and what it does.
fn succeed(bench: &mut Bench, settings: &[(&str, &str)], main: Found, hooks: &[Hook]) -> String {
    let id = bench.core.find(&name("foo")).unwrap();
    let (bytes, old) = (kept(&bench.core, id), bench.core.status(id, bench.now()));
    let mut core = Core::new();
    let restored = core.restore(name("foo"), plan(settings), &bytes, 0, bench.now());
    let (id, left) = restored.expect("it is understood");
    assert_eq!(kept(&core, id), bytes);
    assert_eq!(core.status(id, bench.now()), old);
    bench.core = core;
    let hooks: Vec<_> = hooks.iter().map(|hook| (left.run, *hook)).collect();
    bench.resume(id, main, &hooks)
}

fn kept(core: &Core, id: Id) -> Vec<u8> {
    let mut bytes = Vec::new();
    core.save(id, &mut bytes);
    bytes
}

#[test]
fn one_that_is_up_stays_up_and_its_end_is_an_end() {
    let settings = [("respawn_delay", "1"), ("rc_supervise_jitter", "0")];
    let mut bench = Bench::up(&settings);
    assert_eq!(succeed(&mut bench, &settings, Found::Lives(101), &[]), "");
    assert_eq!(bench.state(), State::Up);
    let effects = succeed(&mut bench, &settings, Found::Ended(Exit::Code(3)), &[]);
    assert_eq!(effects, "sweep 1");
    bench.emptied();
    assert_eq!(bench.state(), State::Backoff);
    // The next one has a number of its own.
    succeed(&mut bench, &settings, Found::NeverMade, &[]);
    bench.pass(1_000);
    assert_eq!(bench.run, 2);
}

#[test]
fn what_was_ordered_and_not_made_is_ordered_again() {
    let mut bench = Bench::new(&[]);
    bench.start(1);
    assert_eq!(succeed(&mut bench, &[], Found::NeverMade, &[]), "spawn 1");
    let effects = succeed(&mut bench, &[], Found::Lives(101), &[]);
    assert!(effects.contains("<pid 101, 0 restarts>"), "{effects}");
    assert_eq!(bench.state(), State::Up);
}

#[test]
fn a_runscript_that_was_run_is_waited_for_or_run_again() {
    let settings = [("rc_supervise_respawn", "script"), ("respawn_delay", "0")];
    let mut bench = Bench::up(&settings);
    bench.exited(Exit::Code(3));
    bench.run = 2;
    let effects = succeed(&mut bench, &settings, Found::NeverMade, &[Hook::Script]);
    assert_eq!(effects, "");
    let effects = succeed(&mut bench, &settings, Found::NeverMade, &[]);
    assert!(effects.starts_with("script 2"), "{effects}");
    assert_eq!(bench.hook_ended(Hook::Script, Exit::Code(0)), "spawn 2");
    let effects = succeed(&mut bench, &settings, Found::NeverMade, &[]);
    assert_eq!(effects, "spawn 2");
}

#[test]
fn a_stop_goes_on_at_its_rung() {
    let settings = [("retry", "TERM/3/INT/4")];
    let mut bench = Bench::up(&settings);
    bench.stop(2);
    let effects = succeed(&mut bench, &settings, Found::Lives(101), &[]);
    assert_eq!(effects, "TERM main 1, CONT main 1");
    bench.pass(3_000);
    assert_eq!(
        succeed(&mut bench, &settings, Found::Lives(101), &[]),
        "INT main 1, CONT main 1"
    );
    succeed(&mut bench, &settings, Found::Ended(Exit::Signal(2)), &[]);
    assert_eq!(bench.state(), State::Stopping);
}

#[test]
fn a_finish_command_is_run_by_one_of_both() {
    let settings = [("rc_supervise_finish", "/bin/finish")];
    let mut bench = Bench::up(&settings);
    bench.exited(Exit::Code(1));
    let ended = Found::Ended(Exit::Unknown);
    let effects = succeed(&mut bench, &settings, ended, &[]);
    assert!(effects.contains("finish 1"), "{effects}");
    assert_eq!(succeed(&mut bench, &settings, ended, &[Hook::Finish]), "");
}

#[test]
fn numbers_that_come_to_their_end_are_damaged() {
    let bench = Bench::up(&[]);
    let (id, name) = bench.core.iter().next().expect("a service");
    let mut bytes = kept(&bench.core, id);
    let restored = |bytes: &[u8]| {
        let mut core = Core::new();
        core.restore(name.clone(), plan(&[]), bytes, 0, bench.now())
            .is_some()
    };
    assert!(restored(&bytes));
    bytes[..8].copy_from_slice(&(u64::MAX - 1).to_le_bytes());
    assert!(!restored(&bytes));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever happened: it fits, and a core that reads it keeps the same.
    #[test]
    fn what_is_kept_is_understood(
        fates in prop::collection::vec(fate(), 1..8),
        acts in prop::collection::vec(act(1), 1..40),
    ) {
        let settings = [("rc_supervise_finish", "/bin/finish"), ("rc_supervise_on_give_up", "/x")];
        let mut world = World::new(vec![*plan(&settings)], fates);
        for act in &acts {
            world.act(act);
            let now = world.now();
            let known: Vec<_> = world.core.iter().map(|(id, name)| (id, name.clone())).collect();
            for (id, name) in known {
                let bytes = kept(&world.core, id);
                prop_assert!(bytes.len() <= SAVED_MOST);
                let mut core = Core::new();
                let restored = core.restore(name, plan(&settings), &bytes, id.index(), now);
                let (again, _) = restored.expect("it is understood");
                prop_assert_eq!(again, id);
                prop_assert_eq!(kept(&core, id), bytes);
            }
        }
    }

    /// Whatever somebody else wrote.
    #[test]
    fn nothing_panics(bytes: Vec<u8>, lives: bool) {
        let mut core = Core::new();
        let now = Bench::new(&[]).now();
        if let Some((id, left)) = core.restore(name("foo"), plan(&[]), &bytes, 3, now) {
            let main = if lives { Found::Lives(7) } else { Found::Ended(Exit::Unknown) };
            core.resume(id, main, &left.hooks, now, &mut Vec::new());
        }
    }
}
