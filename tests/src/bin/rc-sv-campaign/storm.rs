//! A time in which everything goes wrong.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::chance::Chance;
use crate::clock::Jump;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::process::Identity;
use crate::scarcity::Scarcity;
use crate::scene::{self, Scene};
use crate::Result;

/// What has to be undone.
pub enum Undo {
    Continue(Identity),
    Back(Jump),
    Enough(Scarcity),
}

impl Undo {
    fn undo(self, scene: &mut Scene) -> Result<()> {
        match self {
            // Who was killed meanwhile needs no CONT.
            Undo::Continue(one) => {
                one.signal(Signal::SIGCONT);
                Ok(())
            }
            Undo::Back(jump) => {
                scene.is_clock_set = false;
                jump.end()
            }
            Undo::Enough(scarcity) => scarcity.end(),
        }
    }

    fn is_scarcity(&self) -> bool {
        matches!(self, Undo::Enough(_))
    }
}

/// Lets things go wrong for this long; then everything is undone.
pub fn storm(
    scene: &mut Scene,
    chance: &mut Chance,
    ledger: &mut Ledger,
    length: Duration,
) -> Result<()> {
    let end = Instant::now() + length;
    let mut undone: Vec<(Instant, Undo)> = Vec::new();
    while Instant::now() < end {
        let now = Instant::now();
        let (due, later) = undone.into_iter().partition(|(at, _)| *at <= now);
        undone = later;
        let due: Vec<(Instant, Undo)> = due;
        due.into_iter().try_for_each(|(_, undo)| undo.undo(scene))?;
        scene.look_at_orders(ledger)?;
        ledger.journal.read();
        let is_scarce = undone.iter().any(|(_, undo)| undo.is_scarcity());
        let fault = Fault::any(chance);
        if let Some(undo) = fault.strike(scene, chance, ledger, is_scarce)? {
            let wait = match undo {
                Undo::Continue(_) | Undo::Back(_) => chance.millis(20, 1_500),
                Undo::Enough(_) => chance.millis(100, 900),
            };
            undone.push((Instant::now() + wait, undo));
        }
        scene::pass(chance.millis(1, 15));
    }
    undone
        .into_iter()
        .try_for_each(|(_, undo)| undo.undo(scene))
}
