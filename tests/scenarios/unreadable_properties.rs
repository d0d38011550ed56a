//! Properties that are no text, or too large or deep to be read: AMQP calls short strings UTF-8 (0-9-1 §4.2.5.3), the broker
//! checks nothing, and libraries give up the connection. Software that writes its bytes by hand sends one; nobody else may notice.

use domain::wire;
use harness::province::{Agency, Plan, Province};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::evidence::send;

const FRAME_END: u8 = 0xCE;
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;

fn short(octets: &[u8]) -> Vec<u8> {
    let length = u8::try_from(octets.len()).expect("a short string");
    [&[length], octets].concat()
}

fn long(octets: &[u8]) -> Vec<u8> {
    let length = u32::try_from(octets.len()).expect("a small one");
    [&length.to_be_bytes(), octets].concat()
}

/// AMQP 0-9-1 by hand, as far as a publisher needs it.
struct Wire(TcpStream);

impl Wire {
    /// Logs in and opens channel 1.
    async fn log_in(province: &Province, agency: &Agency) -> Wire {
        let address = province.broker().amqp_address();
        let mut wire = Wire(TcpStream::connect(address).await.expect("the broker listens"));
        wire.0.write_all(b"AMQP\0\0\x09\x01").await.expect("sent");
        wire.until((10, 10)).await;
        let password = std::fs::read_to_string(agency.folder().join("password")).expect("a password");
        let login = ["", agency.account(), password.trim()].join("\0");
        let start = [
            long(b""),
            short(b"PLAIN"),
            long(login.as_bytes()),
            short(b"en_US"),
        ]
        .concat();
        wire.method(0, (10, 11), &start).await;
        wire.until((10, 30)).await;
        let tune = [
            &16_u16.to_be_bytes()[..],
            &131_072_u32.to_be_bytes(),
            &0_u16.to_be_bytes(),
        ]
        .concat();
        wire.method(0, (10, 31), &tune).await;
        let open = [short(province.vhost().as_bytes()), short(b""), vec![0]].concat();
        wire.method(0, (10, 40), &open).await;
        wire.until((10, 41)).await;
        wire.method(1, (20, 10), &short(b"")).await;
        wire.until((20, 11)).await;
        wire
    }

    /// Publishes a message with this message-id, whatever octets that is, and with headers of these octets.
    async fn publish(
        &mut self,
        account: &str,
        key: &str,
        (message_id, headers): (&[u8], &[u8]),
        body: &[u8],
    ) {
        let exchange = short(wire::SUBMIT_EXCHANGE.as_bytes());
        let arguments = [&[0, 0][..], &exchange, &short(key.as_bytes()), &[0]].concat();
        self.method(1, (60, 40), &arguments).await;
        // headers, delivery-mode, message-id, type, user-id
        let flags: u16 = 0x2000 | 0x1000 | 0x0080 | 0x0020 | 0x0010;
        let length = u64::try_from(body.len()).expect("small");
        let properties = [
            long(headers),
            vec![2],
            short(message_id),
            short(wire::TYPE_PACKET.as_bytes()),
            short(account.as_bytes()),
        ]
        .concat();
        let header = [
            &[0, 60, 0, 0][..],
            &length.to_be_bytes(),
            &flags.to_be_bytes(),
            &properties,
        ]
        .concat();
        self.frame(HEADER, 1, &header).await;
        self.frame(BODY, 1, body).await;
    }

    /// Ends the connection; whatever was published before has been taken then.
    async fn close(mut self) {
        let arguments = [&200_u16.to_be_bytes()[..], &short(b"done"), &[0, 0, 0, 0]].concat();
        self.method(0, (10, 50), &arguments).await;
        self.until((10, 51)).await;
    }

    async fn method(&mut self, channel: u16, (class, method): (u16, u16), arguments: &[u8]) {
        let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), arguments].concat();
        self.frame(METHOD, channel, &payload).await;
    }

    async fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) {
        let bytes = [&[kind][..], &channel.to_be_bytes(), &long(payload), &[FRAME_END]].concat();
        self.0.write_all(&bytes).await.expect("sent");
    }

    /// Reads up to this method.
    async fn until(&mut self, wanted: (u16, u16)) {
        loop {
            let kind = self.0.read_u8().await.expect("a frame");
            self.0.read_u16().await.expect("a channel");
            let length = self.0.read_u32().await.expect("a length");
            let mut payload = vec![0; usize::try_from(length).expect("small")];
            self.0.read_exact(&mut payload).await.expect("a payload");
            assert_eq!(self.0.read_u8().await.expect("an end"), FRAME_END);
            if kind == METHOD {
                let number = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
                let method = (number(0), number(2));
                assert_ne!(method, (10, 50), "the broker refuses");
                assert_ne!(method, (20, 40), "the broker refuses");
                if method == wanted {
                    return;
                }
            }
        }
    }
}

/// A header whose value is a text of so many octets.
fn header_of(octets: usize) -> Vec<u8> {
    [short(b"x"), b"S".to_vec(), long(&vec![b'x'; octets])].concat()
}

/// A header that holds tables, one in the other.
fn header_in(depth: usize) -> Vec<u8> {
    let around = |inner: Vec<u8>, _| [short(b"x"), b"F".to_vec(), long(&inner)].concat();
    (0..depth).fold(Vec::new(), around)
}

/// More than is let through, with room for what RabbitMQ adds: where a frame has none left for that, it ends the connection of
/// whoever gets the message a second time (INTERNAL_ERROR), and nobody but RabbitMQ can help that. Beside other work it was
/// seen to do so with room left, too.
const LARGE: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_property_that_cannot_be_read_holds_up_nobody() {
    let province = Province::start(Plan::new(2)).await;
    let odd = province.agency(0);
    let letter = odd.draft().to(province.agency(1)).letter();
    let mut wire = Wire::log_in(&province, odd).await;
    for class in ["normal", "urgent", "confirm"] {
        let key = format!("{class}.{}", odd.account());
        for properties in [
            (&b"\xff\xfe"[..], Vec::new()),
            (b"large", header_of(LARGE)),
            (b"deep", header_in(1000)),
        ] {
            let (id, headers) = (properties.0, properties.1.as_slice());
            wire.publish(odd.account(), &key, (id, headers), letter.bytes())
                .await;
        }
    }
    wire.close().await;
    // Each of these goes through the very queues that hold the odd ones.
    for from in [0, 2] {
        let plain = province.agency(from).draft().to(province.agency(1)).letter();
        send(&province, from, &plain).await;
        province.take_document(1, &plain).await;
        let urgent = province
            .agency(from)
            .draft()
            .to(province.agency(1))
            .urgent()
            .letter();
        send(&province, from, &urgent).await;
        province.take_document(1, &urgent).await;
    }
    let log = std::fs::read_to_string(province.gateway.log()).expect("a log");
    // What RabbitMQ ends by itself, when it gives such a message a second time, is no doing of ours; all came through it.
    let lost: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("consuming interrupted") && !line.contains("INTERNAL_ERROR"))
        .collect();
    assert!(lost.is_empty(), "the connection is never given up: {lost:?}");
    province.end().await;
}
