//! The ten minutes of README.md, "Write a module": its commands, as they stand there.

mod kit;
mod openrc;

use kit::{repository, Author};
use openrc::rc;

/// The blocks of shell commands in the section.
fn blocks() -> [String; 3] {
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("README.md");
    let (_, section) = readme
        .split_once("\n## Write a module\n")
        .expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let blocks = section.split("\n```sh\n").skip(1);
    let blocks: Vec<String> = blocks
        .map(|block| block.split_once("\n```").expect("its end").0.to_owned())
        .collect();
    blocks
        .try_into()
        .expect("a module in C, its use, one in Rust")
}

#[test]
fn a_stranger_gets_to_a_module_of_his_own() {
    let [build, operate, _] = blocks();
    let author = Author::new();
    let said = author.sh(&build);
    assert!(said.contains("keeps its promises"), "{said}");
    assert!(said.contains("\nModule: mine\n"), "{said}");

    let lab = author.lab();
    lab.service("foo", "command=/bin/sleep\ncommand_args=4242");
    lab.conf("foo", "");
    let said = lab.sh(&format!("set -e\n{operate}")).ok();
    assert!(said.contains("status: started"), "{said}");
    assert!(
        said.lines().any(|line| line.starts_with("foo  up  pid ")),
        "{said}"
    );
    rc(&lab, "foo", "stop").ok();
}

#[test]
fn a_clone_gives_the_module_in_rust() {
    let [_, _, build] = blocks();
    let author = Author::new();
    author.clone(".");
    let said = author.sh(&build);
    let line = said.lines().find(|line| line.starts_with("supervisord "));
    assert!(line.is_some_and(|line| line.contains("usable")), "{said}");
}
