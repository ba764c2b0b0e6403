//! Files of a gigabyte where small ones belong: refused, and not read whole.

use nix::sys::stat::Mode;
use rc_sv_api::{Code, ServiceName};
use rc_sv_exec::instance::Instance;
use rc_sv_exec::place::Dir;
use rc_sv_exec::run::record;
use rc_sv_exec::spec_file::{self, MAX_SIZE};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

/// How many bytes this process has read so far.
fn read_so_far() -> usize {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

/// Does it, and returns what came of it and how many bytes were read.
fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = read_so_far();
    let result = work();
    (result, read_so_far() - before)
}

// One test, because the count is that of the process.
#[test]
fn no_file_is_read_whole() {
    // The kernel's own count takes some.
    const SOME: usize = 8 << 10;
    nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    let svcdir = tempfile::tempdir().unwrap();
    fs::set_permissions(svcdir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let service = ServiceName::new(b"foo").unwrap();
    let dir = Dir::make_service(svcdir.path(), &service).unwrap();
    for name in [spec_file::NAME, record::NAME, "instance"] {
        let file = File::create(dir.path().join(name)).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .unwrap();
        file.set_len(1 << 30).unwrap();
    }
    let (spec, count) = counted(|| spec_file::read(&dir));
    let error = spec.unwrap_err();
    assert_eq!(error.code, Code::Protocol);
    assert!(error.message.contains("larger than 8 MiB"), "{error}");
    assert!((MAX_SIZE..MAX_SIZE + SOME).contains(&count), "{count}");
    let (read, count) = counted(|| record::read(&dir));
    assert!(read.unwrap_err().message.ends_with("is no record of rc-sv"));
    assert!((65_536..65_536 + SOME).contains(&count), "{count}");
    let (instance, count) = counted(|| Instance::living(&dir));
    assert_eq!(instance, None);
    assert!((128..128 + SOME).contains(&count), "{count}");
}
