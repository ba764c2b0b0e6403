use super::*;
use rc_sv_api::Spec;

fn all(settings: &[(&str, &str)]) -> Result<Vec<Check>> {
    let mut spec = Spec::default();
    for (name, value) in settings {
        spec.set(name, value.as_bytes(), "test").unwrap();
    }
    Check::all(spec.settings())
}

fn of(text: &str) -> Result<Vec<Check>> {
    all(&[("rc_supervise_health", text)])
}

#[test]
fn defaults_are_those_of_the_registry_and_options_override_them() {
    let checks = of("tcp:80 interval=1m timeout=500ms; hook failures=2 within=5 action=alert");
    let checks = checks.unwrap();
    let plain = Rules {
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        start: Duration::ZERO,
        failures: 3,
        successes: 1,
        within: 0,
        action: Action::Restart,
    };
    let first = Rules {
        interval: Duration::from_secs(60),
        timeout: Duration::from_millis(500),
        ..plain
    };
    let second = Rules {
        failures: 2,
        within: 5,
        action: Action::Alert,
        ..plain
    };
    assert_eq!(checks[0].rules, first);
    assert_eq!(
        checks[1],
        Check {
            target: Target::Hook,
            rules: second
        }
    );
    let others = all(&[
        ("rc_supervise_health", "tcp:80"),
        ("rc_supervise_health_interval", "7"),
        ("rc_supervise_health_action", "exec"),
        ("rc_supervise_health_start", "9"),
    ]);
    let rules = others.unwrap()[0].rules;
    assert_eq!((rules.interval.as_secs(), rules.action), (7, Action::Exec));
    assert_eq!(rules.start.as_secs(), 9);
}

#[test]
fn quotes_hold_a_command_together() {
    let checks = of("\n  exec:'/bin/sh -c \"a; b\"' failures=1\n\n;;tcp:80;\n").unwrap();
    assert_eq!(checks.len(), 2);
    let Target::Exec(words) = &checks[0].target else {
        panic!("{checks:?}")
    };
    assert_eq!(words[2], b"a; b");
}

#[test]
fn openrcs_own_check_and_the_memory_come_last() {
    let checks = all(&[
        ("healthcheck_timer", "5"),
        ("healthcheck_delay", "9"),
        ("rc_supervise_memory_limit", "10M"),
        ("rc_supervise_health", "tcp:80"),
    ]);
    let checks = checks.unwrap();
    assert_eq!(checks[1].target, Target::Hook);
    let rules = checks[1].rules;
    assert_eq!((rules.interval.as_secs(), rules.start.as_secs()), (5, 9));
    assert_eq!(rules.failures, 1);
    assert_eq!(checks[2].target, Target::Memory(10 << 20));
    let alone = all(&[("healthcheck_delay", "9")]).unwrap_err();
    assert!(alone.message.contains("needs healthcheck_timer"), "{alone}");
}

#[test]
fn nonsense_is_refused() {
    for text in [
        "udp:5",
        "tcp:80 5",
        "tcp:80 every=5",
        "tcp:80 interval=0",
        "tcp:80 failures=0",
        "tcp:80 failures=65",
        "tcp:80 within=2",
        "tcp:80 within=65",
        "tcp:80 action=reboot",
        "exec:/bin/x -a",
        "tcp:80 timeout=x",
        "hook 'a",
    ] {
        let error = of(text).unwrap_err();
        assert!(error.message.starts_with("rc_supervise_health="), "{error}");
    }
    assert!(of(&"hook;".repeat(17)).is_err());
    let unknown = of("udp:5").unwrap_err().message;
    assert!(
        unknown.contains("must be hook, tcp:[HOST:]PORT, "),
        "{unknown}"
    );
    let port = of("tcp:0").unwrap_err().message;
    assert!(port.contains("must be an address such as "), "{port}");
}
