//! A log file: written, exchanged when it is full or old, and found again when somebody else has
//! moved it away.

use super::end::End;
use super::open::Place;
use super::spool::Spool;
use super::spool::{Entry, MOST};
use crate::log::render::{Moment, Renderer, LONGEST};
use crate::log::stream::Owner;
use crate::log::{rotation, stamp, Kept};
use rc_sv_api::Result;
use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A file to which lines are appended.
pub(super) struct LogFile {
    place: Place,
    file: Option<File>,
    kept: Kept,
    renderer: Renderer,
    said: Option<String>,
    /// What a logger that was killed had begun was looked at.
    is_settled: bool,
}

impl LogFile {
    /// Nothing is opened before there is something to write.
    ///
    /// # Errors
    /// The service's user or root directory cannot be taken on.
    pub(super) fn new(
        path: &Path,
        root: Option<&Path>,
        owner: &Owner,
        kept: Kept,
    ) -> Result<LogFile> {
        Ok(LogFile {
            place: Place::new(path, root, owner)?,
            file: None,
            kept,
            renderer: Renderer::new(&kept),
            said: None,
            is_settled: false,
        })
    }

    fn append(&mut self, spool: &mut Spool, is_end: bool, now: Moment) -> io::Result<bool> {
        let mut known = self.find()?;
        if !self.is_settled {
            self.settle(spool, &known)?;
            self.is_settled = true;
            known = self.find()?;
        }
        if rotation::is_due(&self.kept, known.size(), age(&known)) {
            known = self.exchange()?;
        }
        let waiting = spool.peek(MOST);
        let mut entry = self.render(&waiting, is_end, now, self.room(&known));
        if entry.bytes.is_empty() && entry.taken == 0 && known.size() > 0 {
            // The next line, if there is one, does not fit.
            let trial = self.renderer.clone();
            entry = self.render(&waiting, is_end, now, MOST);
            if entry.taken > 0 && self.kept.max_size > 0 {
                self.renderer = trial;
                known = self.exchange()?;
                let room = self.room(&known);
                entry = self.render(&waiting, is_end, now, room);
            }
        }
        if entry.bytes.is_empty() && entry.taken == 0 {
            return Ok(false);
        }
        entry.device = known.dev();
        entry.inode = known.ino();
        entry.size = known.size();
        if !entry.bytes.is_empty() {
            spool.note(&entry)?;
            self.write(&entry)?;
        }
        self.said = None;
        spool.advance(entry.taken);
        Ok(true)
    }

    fn render(&mut self, waiting: &[u8], is_end: bool, now: Moment, room: usize) -> Entry {
        let mut entry = Entry::default();
        if let Some(words) = &self.said {
            self.renderer.say(words, now, &mut entry.bytes);
        }
        let bytes = &mut entry.bytes;
        entry.taken = self.renderer.render(waiting, is_end, now, room, bytes) as u64;
        entry
    }

    /// How much more the file may have; the first line always fits.
    fn room(&self, known: &Metadata) -> usize {
        match (self.kept.max_size, known.size()) {
            (0, _) => MOST,
            (most, 0) => (most as usize).clamp(LONGEST + stamp::LENGTH + 1, MOST),
            (most, size) => (most.saturating_sub(size) as usize).min(MOST),
        }
    }

    /// The file that has the name now.
    fn find(&mut self) -> io::Result<Metadata> {
        if let Some(file) = &self.file {
            let known = file.metadata()?;
            let there = self.place.look("")?;
            let is_it =
                |it: nix::sys::stat::FileStat| (it.st_dev, it.st_ino) == (known.dev(), known.ino());
            if there.is_some_and(is_it) && known.nlink() > 0 {
                return Ok(known);
            }
        }
        self.file.insert(self.place.open()?).metadata()
    }

    /// Writes all of an entry or, if that fails, takes back what was written of it.
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_all(&entry.bytes).inspect_err(|_| {
            let part = |known: Metadata| known.size().checked_sub(entry.size);
            let most = entry.bytes.len() as u64;
            // Somebody else may have appended something.
            if file
                .metadata()
                .ok()
                .and_then(part)
                .is_some_and(|part| part <= most)
            {
                let _ = file.set_len(entry.size);
            }
        })
    }

    /// Finishes what a logger that was killed had begun.
    fn settle(&mut self, spool: &mut Spool, known: &Metadata) -> io::Result<()> {
        let Some(entry) = spool.noted() else {
            return Ok(());
        };
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if (entry.device, entry.inode) != (known.dev(), known.ino()) {
            return Ok(());
        }
        let mut there = vec![0; entry.bytes.len()];
        let length = file.read_at(&mut there, entry.size)?;
        let pairs = there[..length].iter().zip(&entry.bytes);
        let same = pairs.take_while(|(a, b)| a == b).count();
        if same > 0 {
            file.write_all(&entry.bytes[same..])?;
            spool.advance(entry.taken);
        }
        Ok(())
    }

    /// Gives the file another name, and begins a new one.
    fn exchange(&mut self) -> io::Result<Metadata> {
        let mut taken = Vec::new();
        for number in 1..=self.kept.count {
            if self.place.look(&suffix(number))?.is_none() {
                break;
            }
            taken.push(number);
        }
        for (from, to) in rotation::renames(self.kept.count, |number| taken.contains(&number)) {
            self.place.rename(&suffix(from), &suffix(to))?;
        }
        if self.kept.count == 0 {
            self.place.remove()?;
        }
        self.file.insert(self.place.open()?).metadata()
    }
}

impl End for LogFile {
    fn deliver(&mut self, spool: &mut Spool, is_end: bool, now: Moment) -> io::Result<bool> {
        self.append(spool, is_end, now).map_err(|cause| {
            self.file = None;
            let path = self.place.path();
            io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
        })
    }

    fn say(&mut self, words: String) {
        self.said = Some(words);
    }

    fn due(&self) -> Option<u64> {
        self.renderer.due()
    }
}

fn suffix(number: u32) -> String {
    match number {
        0 => String::new(),
        number => format!(".{number}"),
    }
}

/// How long ago a file was made; where that is not known, it is new. The clock may have been set back
/// since: then nobody knows, but by so much at least it has changed.
fn age(known: &Metadata) -> Duration {
    known.created().map_or(Duration::ZERO, |made| {
        let since = SystemTime::now().duration_since(made);
        since.unwrap_or_else(|ahead| ahead.duration())
    })
}
