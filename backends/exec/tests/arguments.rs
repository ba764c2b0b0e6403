//! Arguments arrive byte for byte.

mod scene;
use scene::Scene;

#[test]
fn quotes_newlines_other_encodings_and_empty_words() {
    let argv: [&[u8]; 9] = [
        b"/usr/bin/printf",
        b"%s\\0",
        b"",
        b" two  words ",
        b"'\"`$HOME*?[x]~#\\",
        b"line\nbreak\ttab\r",
        b"\xff\xfe\x80",
        "grün".as_bytes(),
        b"-n",
    ];
    let scene = Scene::new(&argv);
    scene.output();
    let expected: Vec<u8> = argv[2..]
        .iter()
        .flat_map(|word| [word, &b"\0"[..]].concat())
        .collect();
    assert_eq!(scene.read("out"), expected);
}

#[test]
fn the_command_line_in_proc_is_that_of_the_spec() {
    let argv: [&[u8]; 3] = [b"/bin/cat", b"/proc/self/cmdline", b"/dev/null"];
    let scene = Scene::new(&argv);
    assert_eq!(scene.output(), "/bin/cat\0/proc/self/cmdline\0/dev/null\0");
}

#[test]
fn long_and_many_arguments() {
    let long = vec![b'x'; 64 << 10];
    let scene = Scene::new(&[&b"/usr/bin/printf"[..], b"%s", &long]);
    scene.output();
    assert_eq!(scene.read("out"), long);
    let mut many: Vec<Vec<u8>> = vec![b"/usr/bin/printf".to_vec(), b"%s.".to_vec()];
    many.extend((0..20_000).map(|number| number.to_string().into_bytes()));
    let scene = Scene::new(&many);
    scene.output();
    let expected: String = (0..20_000).map(|number| format!("{number}.")).collect();
    assert_eq!(scene.read("out"), expected.as_bytes());
}

#[test]
fn a_script_is_run_by_its_interpreter() {
    let mut scene = Scene::program("#!/bin/sh\nprintf '%s|' \"$@\"\n", 0o755);
    let script = scene.path("program");
    scene.list("argv", &[script.to_str().unwrap(), "a b", "c"]);
    assert_eq!(scene.output(), "a b|c|");
}
