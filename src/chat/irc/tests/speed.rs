//! How many lines a second go through the adapter: 64 in flight, one connection, answers of one line. Run it with
//! `cargo test --release -p pipit speed -- --nocapture` for figures that mean something.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::bot;

const LINES: usize = 50_000;
const IN_FLIGHT: usize = 64;

async fn lines_a_second(senders: usize) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut bot = bot(&listener.local_addr().unwrap().to_string(), "tls = false\nflood = { burst = 0 }");
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(b":s 001 pipit :hi\r\n:s 376 pipit :end\r\n:pipit!p@h JOIN #ops\r\n").await.unwrap();
    bot.joined().await;
    let line = |number: usize| {
        let sender = number % senders;
        format!(
            "@time=2026-01-01T00:00:00.000Z;msgid=abcdefghijklmnop{number};account=n{sender} :n{sender}!u@h PRIVMSG #ops :!say {number}\r\n"
        )
    };
    let drain = tokio::spawn(async move { while bot.heard.recv().await.is_some() {} });
    let start = Instant::now();
    let (mut asked, mut answered) = (IN_FLIGHT, 0);
    stream.write_all((0..IN_FLIGHT).map(line).collect::<String>().as_bytes()).await.unwrap();
    let mut buffer = vec![0; 64 * 1024];
    let answer = memchr::memmem::Finder::new("PRIVMSG #ops");
    let mut tail = Vec::new();
    while answered < LINES {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(read > 0);
        tail.extend_from_slice(&buffer[..read]);
        let whole = memchr::memrchr(b'\n', &tail).map_or(0, |at| at + 1);
        let now = answer.find_iter(&tail[..whole]).count();
        tail.drain(..whole);
        answered += now;
        let more = now.min(LINES - asked);
        stream.write_all((asked..asked + more).map(line).collect::<String>().as_bytes()).await.unwrap();
        asked += more;
    }
    let speed = f64::from(u32::try_from(LINES).unwrap()) / start.elapsed().as_secs_f64();
    drop(bot.handle);
    drain.await.unwrap();
    speed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speed() {
    for senders in [1, 8, 64] {
        let speed = lines_a_second(senders).await;
        println!("{IN_FLIGHT} lines in flight of {senders} senders: {speed:.0} lines a second");
        assert!(speed > 3000.0, "{speed}");
    }
}
