//! A network that holds nothing but itself: its loopback is switched on, and a listener on it is the way out.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// Where the way out listens, on 127.0.0.1 of the program's own network.
pub(super) const PORT: u16 = 3128;

/// Switches loopback on and listens. In a network that was just made.
pub(super) fn listen() -> io::Result<TcpListener> {
    switch_on()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, PORT))
}

/// Asks the kernel by a message of rtnetlink, "a link's flags change", about the first link, which is loopback.
fn switch_on() -> io::Result<()> {
    const LENGTH: u32 = 32;
    const NEW_LINK: u16 = 16;
    const REQUEST_WITH_ANSWER: u16 = 0x1 | 0x4;
    const LOOPBACK: i32 = 1;
    const UP: u32 = 0x1;
    let mut message = Vec::with_capacity(LENGTH as usize);
    // the head: length, kind, flags, number, who sends it
    message.extend(LENGTH.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_WITH_ANSWER.to_ne_bytes());
    message.extend([0; 8]);
    // the link: family and kind are whatever it is; its number, its flags, and which of them change
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    rustix::net::send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0_u8; 64];
    let (count, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    // behind the head of the answer stands what went wrong, negative, or 0
    let code = answer.get(..count).and_then(|answer| answer.get(16..20)).and_then(|code| code.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::Error::other("the kernel gave no answer about the loopback")),
    }
}
