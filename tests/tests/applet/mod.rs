//! What the tests of OpenRC's C side share: the applet and the plugin, built and installed as a
//! distribution would.
#![allow(dead_code)] // Each test file uses a part of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rc_sv_tests::{Builder, Lab};

use crate::watch::{build, directory, scratch, with_module};

/// The plugin, where Debian's OpenRC looks for it: its packaging lost the beginning.
pub fn plugin() -> String {
    format!(
        "/{}-linux-gnu/rc/plugins/rc-sv-hook.so",
        std::env::consts::ARCH
    )
}

/// A lab with the module that watches, and the applet among OpenRC's.
pub fn with_applet(builder: Builder) -> Lab {
    let lab = with_plugin(builder);
    lab.sh(&format!("rm {}", plugin())).ok();
    lab
}

/// The same with the plugin.
pub fn with_plugin(builder: Builder) -> Lab {
    let lab = with_module(builder.over(installed()));
    lab.sh("ln -s /usr/libexec/rc-sv/rc-sv /usr/bin/rc-sv").ok();
    lab
}

/// The tree that `make install-openrc-c` makes.
fn installed() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| {
        let place = scratch(&format!("applet-{}", env!("CARGO_CRATE_NAME")));
        // What is left of an earlier run might not be what is installed now.
        let _ = std::fs::remove_dir_all(&place);
        let (objects, tree) = (place.join("build"), place.join("tree"));
        directory(&objects);
        directory(&tree);
        // The program says where it looks for plugins.
        let openrc_run = place.join("openrc-run");
        std::fs::write(&openrc_run, Lab::new().read("/sbin/openrc-run")).expect("a copy");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let stage = std::env::var_os("RC_SV_STAGE")
            .map_or_else(|| repository.join("target/lab/stage"), PathBuf::from);
        build(
            Command::new("make")
                .args(["-s", "install-openrc-c", "PREFIX=/usr"])
                .arg("CFLAGS=-O1 -Werror -Wpedantic")
                .arg(format!("OPENRC_RUN={}", openrc_run.display()))
                .arg(format!("BUILD={}", objects.display()))
                .arg(format!("DESTDIR={}", tree.display()))
                .arg(format!("RC_SV_CFLAGS=-I{}/usr/include", stage.display()))
                .arg(format!("RC_SV_LIBS=-L{}/usr/lib -lrc_sv", stage.display()))
                .current_dir(repository),
        );
        tree
    })
}
