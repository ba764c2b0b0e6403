//! Threads that make processes in the fast way ([`super::sharing`]), for somebody who must not
//! wait for an execve.
//!
//! A program on a dead file server holds up the thread that executes it, and nobody else. Who
//! waits for too long is told so ([`News::Slow`]), or told to make the process in the other way
//! ([`News::Untaken`]). While all threads are held up, no order is taken.

use super::inherited::Heritage;
use super::news::News;
use super::sharing::{self, Birth, Stack};
use super::spawn::not_made;
use super::syscall::Errno;
use super::{child, steps, Failure, Launch};
use child::Pointers;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::geteuid;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Enough for every processor of a small machine, and for some services whose programs hang.
const THREADS: usize = 4;

/// Enough for the few calls that are made there. Only what is used takes memory.
const STACK: usize = 128 << 10;

/// After so long an order is slow, in milliseconds.
const SLOW_MS: u64 = 100;

/// Makes processes. It is never waited for: its descriptor becomes readable when there is news.
pub struct Spawner {
    shared: Arc<Shared>,
    /// In the order of their orders; those of which no end was told.
    flights: VecDeque<Flight>,
    /// When a thread was last known to be done with something.
    progress_ms: u64,
}

struct Flight {
    order: Arc<Order>,
    /// When it is slow.
    due_ms: u64,
    /// That it is slow was told.
    told: bool,
}

struct Order {
    ticket: u64,
    launch: Arc<Launch>,
    cgroup: Option<OwnedFd>,
    birth: Birth,
}

struct Shared {
    state: Mutex<State>,
    /// There is an order, or no more will come.
    ordered: Condvar,
    news: EventFd,
    heritage: Heritage,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Order>>,
    done: VecDeque<Landing>,
    threads: usize,
    /// How many of them wait for an order.
    idle: usize,
    closed: bool,
}

struct Landing {
    order: Arc<Order>,
    result: Result<Option<Failure>, Errno>,
}

impl Spawner {
    /// A spawner without threads: they are made when they are needed. From now on this process is
    /// not dumpable.
    ///
    /// `None` where it would not be safe or is not possible: for anybody but root, who could not
    /// use some files of /proc any more, and on machines for which nobody has written it.
    ///
    /// # Errors
    /// There is no descriptor to be had.
    pub fn new() -> io::Result<Option<Spawner>> {
        if !sharing::IS_KNOWN || !geteuid().is_root() || sharing::seal().is_err() {
            return Ok(None);
        }
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let shared = Shared {
            state: Mutex::default(),
            ordered: Condvar::new(),
            news: EventFd::from_value_and_flags(0, flags)?,
            heritage: Heritage::own(),
        };
        Ok(Some(Spawner {
            shared: Arc::new(shared),
            flights: VecDeque::new(),
            progress_ms: 0,
        }))
    }

    /// Orders a process that runs `launch`, in the cgroup (version 2) that `cgroup` is a
    /// descriptor of, or in the caller's. `now_ms` is a time in milliseconds from anywhere;
    /// `ticket` comes back with the news.
    ///
    /// Takes nothing, and gives `cgroup` back, when no thread is there or all are held up, or when
    /// sharing memory with this process would not be safe: then [`super::spawn`] is to be used.
    ///
    /// # Errors
    /// It takes nothing.
    pub fn order(
        &mut self,
        ticket: u64,
        launch: &Arc<Launch>,
        cgroup: Option<OwnedFd>,
        now_ms: u64,
    ) -> Result<(), Option<OwnedFd>> {
        let held_up = self.flights.iter().filter(|flight| flight.told).count();
        if held_up >= THREADS || (launch.changes_user() && !sharing::stays_sealed()) {
            return Err(cgroup);
        }
        let order = Arc::new(Order {
            ticket,
            launch: Arc::clone(launch),
            cgroup,
            birth: Birth::new(),
        });
        let mut state = self.shared.lock();
        let waiting = state.queue.len() + 1;
        if waiting > state.idle && state.threads < THREADS {
            match begin(&self.shared) {
                Ok(()) => state.threads += 1,
                Err(_) if state.threads > 0 => {}
                Err(_) => {
                    drop(state);
                    return Err(Arc::into_inner(order).and_then(|order| order.cgroup));
                }
            }
        }
        state.queue.push_back(Arc::clone(&order));
        drop(state);
        self.shared.ordered.notify_one();
        self.flights.push_back(Flight {
            order,
            due_ms: now_ms + SLOW_MS,
            told: false,
        });
        Ok(())
    }

    /// What became of an order; `None` when there is nothing new at `now_ms`.
    pub fn news(&mut self, now_ms: u64) -> Option<News> {
        let mut landing = self.shared.lock().done.pop_front();
        if landing.is_none() {
            // Before the last look, so that nothing is missed.
            let _ = self.shared.news.read();
            landing = self.shared.lock().done.pop_front();
        }
        match landing {
            Some(landing) => {
                self.progress_ms = now_ms;
                Some(self.landed(landing))
            }
            None => self.overdue(now_ms),
        }
    }

    /// When there may be news though the descriptor is not readable: the first order becomes slow.
    pub fn deadline(&self) -> Option<u64> {
        let waiting = self.flights.iter().filter(|flight| !flight.told);
        waiting.map(|flight| flight.due_ms).min()
    }

    fn landed(&mut self, Landing { order, result }: Landing) -> News {
        self.flights
            .retain(|flight| !Arc::ptr_eq(&flight.order, &order));
        let ticket = order.ticket;
        match result {
            Ok(failure) => News::Done {
                ticket,
                made: order.birth.take(),
                failure,
            },
            Err(errno) => News::NotMade {
                ticket,
                error: not_made(errno, order.cgroup.is_some()),
            },
        }
    }

    fn overdue(&mut self, now_ms: u64) -> Option<News> {
        // With a thousand orders at once the last ones wait for longer, and all is well.
        let patience = self.progress_ms + SLOW_MS;
        for flight in &mut self.flights {
            if flight.told || flight.due_ms > now_ms {
                continue;
            }
            let ticket = flight.order.ticket;
            if let Some((pid, pidfd)) = flight.order.birth.take() {
                flight.told = true;
                return Some(News::Slow { ticket, pid, pidfd });
            }
            if now_ms >= patience && self.shared.withdraw(&flight.order) {
                let order = Arc::clone(&flight.order);
                self.flights
                    .retain(|flight| !Arc::ptr_eq(&flight.order, &order));
                // This is the last one that knows of it.
                let cgroup = Arc::into_inner(order).and_then(|order| order.cgroup);
                return Some(News::Untaken { ticket, cgroup });
            }
            // The kernel is making it right now, or a thread soon has time for it.
            flight.due_ms = now_ms + SLOW_MS;
        }
        None
    }
}

impl AsFd for Spawner {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.news.as_fd()
    }
}

impl Drop for Spawner {
    /// The threads end when they are done with what they do; nobody waits for them.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.shared.ordered.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an order back that no thread has taken yet.
    fn withdraw(&self, order: &Arc<Order>) -> bool {
        let mut state = self.lock();
        let before = state.queue.len();
        state.queue.retain(|known| !Arc::ptr_eq(known, order));
        state.queue.len() < before
    }

    /// The next order; `None` when no more will come.
    fn next(&self) -> Option<Arc<Order>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(order) = state.queue.pop_front() {
                return Some(order);
            }
            state.idle += 1;
            state = self
                .ordered
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// Begins a thread.
fn begin(shared: &Arc<Shared>) -> io::Result<()> {
    let mut stack = Stack::new().map_err(io::Error::from_raw_os_error)?;
    let shared = Arc::clone(shared);
    let builder = thread::Builder::new().stack_size(STACK);
    builder.spawn(move || {
        // A handler would run beside a child that uses the same memory, and signals are for the
        // thread that waits for them.
        child::set_mask(u64::MAX);
        while let Some(order) = shared.next() {
            let result = carry_out(&order, &shared.heritage, &mut stack);
            shared.lock().done.push_back(Landing { order, result });
            // It fails only when it was not read for 2^64 times.
            let _ = shared.news.write(1);
        }
    })?;
    Ok(())
}

fn carry_out(
    order: &Order,
    heritage: &Heritage,
    stack: &mut Stack,
) -> Result<Option<Failure>, Errno> {
    let launch = &*order.launch;
    let argv = Pointers::new(&launch.argv);
    let environment = Pointers::with(&launch.environment, launch.own_pid.as_deref());
    let inherited = heritage.of(launch);
    let failure = Cell::new(None);
    let cgroup = order.cgroup.as_ref().map(AsFd::as_fd);
    sharing::make(stack, cgroup, &order.birth, || {
        let failed = steps::take(launch, &argv, &environment, None, inherited);
        failure.set(Some(failed));
    })?;
    Ok(failure.into_inner())
}
