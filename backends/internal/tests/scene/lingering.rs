//! A connection that is slow to close.

use nix::sys::socket::{setsockopt, sockopt};
use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// One whose closing takes `time`, and its other end: data that nobody takes is to be delivered first.
pub fn lingering(time: Duration) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    let full = loop {
        if let Err(cause) = near.write(&[0; 65_536]) {
            break cause;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: time.as_secs() as i32,
    };
    setsockopt(&near, sockopt::Linger, &linger).unwrap();
    (near, far)
}
