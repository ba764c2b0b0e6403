//! All that was done in a story, in words.

#[cfg(test)]
use super::world::{Story, World};
use crate::core::Effect;

/// Tells the story by this clock on the wall; all that was done, in words.
#[cfg(test)]
pub(super) fn traced((policies, fates, acts): Story, wall: fn(u64) -> i64) -> Vec<String> {
    let mut world = World::new(policies, fates);
    world.wall = wall;
    world.trace = Some(Vec::new());
    for act in &acts {
        world.act(act);
    }
    world.finish();
    world.trace.unwrap_or_default()
}

/// An effect without what people see of the clock on the wall.
pub(super) fn timeless(effect: &Effect) -> String {
    match effect {
        Effect::Emit(event) => format!("{:?} {} {:?}", event.kind, event.seq, event.status.state),
        Effect::Alert { alert, .. } => format!("{:?} {}", alert.topic, alert.reason),
        other => format!("{other:?}"),
    }
}
