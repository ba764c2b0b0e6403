//! The pid file of a daemon that OpenRC knows by one.
//!
//! It is written by root, often in a directory of the service's own user, so the way to it is
//! walked by hand: nobody but root may have had a say in where it leads.

use nix::errno::Errno;
use nix::fcntl::{openat, readlinkat, renameat, OFlag};
use nix::sys::stat::{fstat, FileStat, Mode, SFlag};
use nix::unistd::{geteuid, unlinkat, UnlinkatFlags};
use rc_sv_api::{Code, Error, Result};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// More symbolic links than this are a circle.
const MAX_LINKS: usize = 16;

/// The directory of a pid file, opened, and the file's name.
pub struct PidFile {
    dir: OwnedFd,
    name: OsString,
}

impl PidFile {
    /// Opens the directory of `path`.
    ///
    /// # Errors
    /// It is missing, or somebody but root could lead us elsewhere.
    pub fn find(path: &Path) -> Result<PidFile> {
        let failed =
            |why: String| Error::new(Code::Invalid, format!("pidfile {}: {why}", path.display()));
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(failed("must name a file".into()));
        };
        match walk(parent) {
            Ok(dir) => Ok(PidFile {
                dir,
                name: name.to_os_string(),
            }),
            Err(Stop::Unsafe(dir)) => Err(failed(format!(
                "users other than root may change {}",
                dir.display()
            ))),
            Err(Stop::Errno(errno)) => Err(failed(errno.desc().to_string())),
        }
    }

    /// Writes `pid`: aside, then renamed, so that no reader sees half of it.
    pub fn write(&self, pid: i32) -> io::Result<()> {
        let mut aside = OsString::from(".");
        aside.push(&self.name);
        aside.push(".rc-sv");
        self.unlink(&aside);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o644);
        let mut file = File::from(openat(&self.dir, &*aside, flags, mode)?);
        let done = writeln!(file, "{pid}")
            .and_then(|()| Ok(renameat(&self.dir, &*aside, &self.dir, &*self.name)?));
        if done.is_err() {
            self.unlink(&aside);
        }
        done
    }

    /// Removes it, if it still tells of `pid`.
    pub fn remove(&self, pid: i32) {
        if self.read().is_some_and(|(told, _)| told == pid) {
            self.unlink(&self.name);
        }
    }

    /// The pid that it tells, and whether only root could write it. `None`: it tells none, or is
    /// no plain file.
    pub fn read(&self) -> Option<(i32, bool)> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&self.dir, &*self.name, flags, Mode::empty()).ok()?;
        let status = fstat(&file).ok()?;
        if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return None;
        }
        let mut text = String::new();
        File::from(file).take(32).read_to_string(&mut text).ok()?;
        let dir = fstat(&self.dir).ok()?;
        let is_roots = is_ours_alone(&dir) && is_ours_alone(&status);
        Some((text.trim().parse().ok()?, is_roots))
    }

    fn unlink(&self, name: &OsStr) {
        let _ = unlinkat(&self.dir, name, UnlinkatFlags::NoRemoveDir);
    }
}

/// Why a walk ended early.
enum Stop {
    /// Others may change this directory, and we would have to go through it.
    Unsafe(PathBuf),
    Errno(Errno),
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Errno(errno)
    }
}

/// Opens the directory `path`, step by step. Each directory on the way, and each link, must be
/// root's or ours, and nobody else may be able to write to the directories; the last one may be
/// anybody's.
fn walk(path: &Path) -> std::result::Result<OwnedFd, Stop> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let root = || {
        openat(
            nix::fcntl::AT_FDCWD,
            "/",
            flags | OFlag::O_DIRECTORY,
            Mode::empty(),
        )
    };
    let mut here = root()?;
    let mut passed = PathBuf::from("/");
    let mut steps = steps_of(path);
    let mut links = 0;
    while let Some(step) = steps.pop() {
        if !is_ours_alone(&fstat(&here)?) {
            return Err(Stop::Unsafe(passed));
        }
        let next = openat(&here, &*step, flags, Mode::empty())?;
        let status = fstat(&next)?;
        match SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFDIR => {
                here = next;
                passed.push(&step);
            }
            SFlag::S_IFLNK => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::ELOOP.into());
                }
                if !is_ours(&status) {
                    return Err(Stop::Unsafe(passed.join(step)));
                }
                let target = PathBuf::from(readlinkat(&here, &*step)?);
                if target.is_absolute() {
                    here = root()?;
                    passed = PathBuf::from("/");
                }
                steps.extend(steps_of(&target));
            }
            _ => return Err(Errno::ENOTDIR.into()),
        }
    }
    Ok(here)
}

/// The names in `path`, the last one first.
fn steps_of(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_os_string()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

fn is_ours(status: &FileStat) -> bool {
    status.st_uid == 0 || status.st_uid == geteuid().as_raw()
}

/// In a sticky directory others can make names, but not change ours. Who is in root's group is
/// root's choice: OpenRC makes its state directory with mode 0775.
fn is_ours_alone(status: &FileStat) -> bool {
    const STICKY: u32 = 0o1000;
    let others_write = match status.st_gid {
        0 => 0o002,
        _ => 0o022,
    };
    is_ours(status) && (status.st_mode & others_write == 0 || status.st_mode & STICKY != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{chown, symlink, PermissionsExt};

    fn dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("rc-sv-pid-{}-{name}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        dir
    }

    #[test]
    fn it_is_written_replaced_and_removed_by_its_own_pid_only() {
        let dir = dir("plain");
        symlink(&dir, dir.join("link")).unwrap();
        let path = dir.join("link/foo.pid");
        let file = PidFile::find(&path).unwrap();
        file.write(12).unwrap();
        file.write(345).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "345\n");
        file.remove(12);
        assert!(path.exists());
        file.remove(345);
        assert!(!path.exists());
        assert_eq!(
            fs::read_dir(&dir).unwrap().count(),
            1,
            "only the link is left"
        );
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_link_in_place_of_the_file_is_replaced_not_followed() {
        let dir = dir("file");
        fs::write(dir.join("victim"), "untouched").unwrap();
        symlink("victim", dir.join("foo.pid")).unwrap();
        symlink("victim", dir.join(".foo.pid.rc-sv")).unwrap();
        PidFile::find(&dir.join("foo.pid"))
            .unwrap()
            .write(7)
            .unwrap();
        assert_eq!(fs::read_to_string(dir.join("victim")).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(dir.join("foo.pid")).unwrap(), "7\n");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn nobody_else_decides_where_it_leads() {
        assert!(
            geteuid().is_root(),
            "this test needs root: it makes files of other users"
        );
        let dir = dir("others");
        let theirs = dir.join("theirs");
        fs::create_dir_all(theirs.join("sub")).unwrap();
        symlink("/etc", theirs.join("away")).unwrap();
        for path in [theirs.clone(), theirs.join("sub")] {
            chown(path, Some(65534), None).unwrap();
        }
        PidFile::find(&theirs.join("foo.pid"))
            .unwrap()
            .write(1)
            .unwrap();
        for path in [theirs.join("sub/foo.pid"), theirs.join("away/foo.pid")] {
            let error = PidFile::find(&path).err().unwrap();
            assert!(
                error.message.contains("users other than root may change"),
                "{error}"
            );
        }
        fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        assert!(PidFile::find(&theirs.join("foo.pid")).is_err());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = PidFile::find(Path::new("/nonexistent/foo.pid"))
            .err()
            .unwrap();
        assert_eq!(
            error.message,
            "pidfile /nonexistent/foo.pid: No such file or directory"
        );
        assert!(PidFile::find(Path::new("/")).is_err());
    }
}
