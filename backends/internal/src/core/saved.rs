//! What is kept of a service beyond the life of its supervisor, as bytes. The plan is not: it is
//! made anew from the spec. Times of this boot stay what they are.

mod bytes;

use super::alarm::Alarm;
use super::instance::Instance;
use super::service::{Alert, Service};
use super::state::{Asked, State};
use super::watch::{Watch, Watchdog};
use super::{Hook, Now, Plan};
use bytes::{index, put_exit, put_state, put_text, put_time, Reader};
use rc_sv_api::exit::Exit;
use rc_sv_api::policy::{Cause, History};
use rc_sv_api::ServiceName;
use std::time::Duration;

/// The longest that a service takes, in bytes.
pub const MOST: usize = 3_500;

/// So many respawns are remembered. Who wants more of them within the period is given up later.
const RESPAWNS: usize = 256;

/// So many commands that nothing waits for.
const ALERTS: usize = 16;

const HOOKS: [Hook; 5] = [
    Hook::Finish,
    Hook::GiveUp,
    Hook::Alternate,
    Hook::Unhealthy,
    Hook::Script,
];
const CAUSES: [Cause; 4] = [
    Cause::Itself,
    Cause::Timeout,
    Cause::Watchdog,
    Cause::Unhealthy,
];
const ASKED: [Asked; 3] = [Asked::No, Asked::This, Asked::Next];

impl Service {
    /// Adds what is kept to `bytes`.
    pub(super) fn save(&self, bytes: &mut Vec<u8>) {
        let instance = &self.instance;
        let flags = [
            self.want_up,
            self.on_probation,
            instance.executed,
            instance.permanent,
            instance.unmade,
            instance.zombie,
            self.watch.as_ref().is_some_and(|watch| watch.reloading),
            instance.awaits_script,
        ];
        let flags = flags
            .iter()
            .rev()
            .fold(0, |all, flag| all << 1 | u8::from(*flag));
        bytes.push(flags);
        put_state(bytes, self.state);
        bytes.extend(self.since.0.to_le_bytes());
        bytes.extend(self.since.1.to_le_bytes());
        bytes.push(index(&ASKED, &self.asked));
        bytes.extend(self.restarts.to_le_bytes());
        bytes.extend(instance.run.to_le_bytes());
        bytes.extend(instance.pid.unwrap_or(0).to_le_bytes());
        bytes.extend(instance.ordered_ms.to_le_bytes());
        put_time(bytes, instance.ended_ms);
        put_time(bytes, instance.leaves_ms);
        put_exit(bytes, instance.not_run.map(Exit::NotRun));
        bytes.push(index(&CAUSES, &instance.cause));
        put_exit(bytes, self.last_exit);
        put_text(bytes, self.note.as_deref());
        put_text(bytes, self.reason.as_deref());
        let watch = self.watch.as_ref();
        put_text(bytes, watch.and_then(|watch| watch.status.as_deref()));
        let interval = watch.and_then(|watch| watch.watchdog).map(|it| it.interval);
        put_time(bytes, interval.map(|it| it.as_millis() as u64));
        let alerts = &self.alerts[..self.alerts.len().min(ALERTS)];
        bytes.push(alerts.len() as u8);
        for alert in alerts {
            bytes.extend(alert.run.to_le_bytes());
            bytes.push(index(&HOOKS, &alert.hook));
            put_time(bytes, alert.until);
        }
        bytes.push(self.has_fallen.map_or(0, |fallen| 1 + u8::from(fallen)));
        let alarm = self.alarm;
        bytes.push(alarm.map_or(0, |alarm| 1 + u8::from(alarm.is_of_health)));
        put_time(bytes, alarm.and_then(|alarm| alarm.over_at));
        let (respawns, streak) = self.history.parts();
        let respawns = &respawns[respawns.len().saturating_sub(RESPAWNS)..];
        bytes.extend(streak.to_le_bytes());
        bytes.extend((respawns.len() as u16).to_le_bytes());
        bytes.extend(respawns.iter().flat_map(|at| at.to_le_bytes()));
    }

    /// The service of which `bytes` were kept; `None` where they are not of this form.
    pub(super) fn restore(
        name: ServiceName,
        plan: Box<Plan>,
        bytes: &[u8],
        now: Now,
    ) -> Option<Service> {
        let mut reader = Reader(bytes);
        let mut service = Service::new(name, plan, now);
        service.has_new_spec = false;
        let flags = reader.byte()?;
        let flag = |bit: u8| flags & 1 << bit != 0;
        service.state = reader.state()?;
        service.since = (reader.u64()?, reader.u64()? as i64);
        service.want_up = flag(0);
        service.on_probation = flag(1);
        service.asked = reader.one_of(&ASKED)?;
        if !service.want_up {
            service.asked = Asked::No;
        }
        service.restarts = reader.u32()?;
        let run = reader.u32()?;
        let pid = Some(reader.u32()? as i32).filter(|pid| *pid > 1);
        service.instance = Instance {
            pid,
            executed: flag(2),
            permanent: flag(3),
            unmade: flag(4),
            zombie: flag(5),
            awaits_script: flag(7),
            ..Instance::ordered(run, reader.u64()?)
        };
        service.instance.ended_ms = reader.time()?;
        service.instance.leaves_ms = reader.time()?;
        service.instance.not_run = match reader.exit()? {
            Some(Exit::NotRun(errno)) => Some(errno),
            None => None,
            Some(_) => return None,
        };
        service.instance.cause = reader.one_of(&CAUSES)?;
        service.last_exit = reader.exit()?;
        service.note = reader.text()?;
        service.reason = reader.text()?;
        let watch = Watch {
            status: reader.text()?,
            reloading: flag(6),
            watchdog: reader.time()?.map(|interval| Watchdog {
                interval: Duration::from_millis(interval),
                until: u64::MAX,
            }),
            ..Watch::default()
        };
        let is_needed = watch.status.is_some() || watch.reloading || watch.watchdog.is_some();
        service.watch = is_needed.then(|| Box::new(watch));
        for _ in 0..reader
            .byte()
            .filter(|count| usize::from(*count) <= ALERTS)?
        {
            service.alerts.push(Alert {
                run: reader.u32()?,
                hook: reader.one_of(&HOOKS)?,
                until: reader.time()?,
            });
        }
        let has_fallen = reader.byte().filter(|kind| *kind <= 2)?;
        service.has_fallen = (has_fallen > 0).then_some(has_fallen == 2);
        let alarm = reader.byte().filter(|kind| *kind <= 2)?;
        let over_at = reader.time()?;
        service.alarm = (alarm > 0).then_some(Alarm {
            is_of_health: alarm == 2,
            over_at,
        });
        let streak = reader.u32()?;
        let count = usize::from(reader.u16()?);
        if count > RESPAWNS || reader.0.len() != count * 8 {
            return None;
        }
        let respawns = (0..count).map(|_| reader.u64()).collect::<Option<_>>()?;
        service.history = History::from_parts(respawns, streak);
        service.is_known();
        // What runs, or is to be cleared up, is an instance.
        let is_idle = matches!(
            service.state,
            State::Down | State::Waiting { .. } | State::Failed { .. }
        );
        let fits = match service.state {
            State::Finishing { .. } => !service.instance.is_live(),
            State::Stuck => true,
            _ => service.instance.is_live() != is_idle,
        };
        (fits && (is_idle || run != 0)).then_some(service)
    }
}
