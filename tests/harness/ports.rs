//! Loopback ports that stay ours while the service behind them is down.
//!
//! Ports are taken below the kernel's ephemeral range. Inside it, a client that reconnects to a port where nobody
//! listens can be given that very port as its source and then be connected to itself (TCP simultaneous open): the
//! restarted broker would find its port taken.
//!
//! **Invariant**: a block belongs to one owner on this machine as long as [`PortBlock`] lives, because its last port
//! is bound and held; other test processes then look elsewhere.

use std::net::{Ipv4Addr, TcpListener};

/// A block is this many neighbouring ports, the last of which is the claim.
const BLOCK: u16 = 10;
/// Debian's ephemeral range begins at 32768 (`/proc/sys/net/ipv4/ip_local_port_range`); below 20000 live the
/// usual services, RabbitMQ's 5672 and 15672 among them.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Neighbouring free ports on 127.0.0.1.
#[derive(Debug)]
pub(crate) struct PortBlock {
    first: u16,
    _claim: TcpListener,
}

impl PortBlock {
    /// Finds a free block; begins at a place that depends on this process so that neighbours seldom meet.
    pub(crate) fn claim() -> PortBlock {
        let blocks = (RANGE.end - RANGE.start) / BLOCK;
        let start =
            u16::try_from(std::process::id() % u32::from(blocks)).expect("less than the number of blocks");
        (0..blocks)
            .map(|step| RANGE.start + (start + step * 7) % blocks * BLOCK)
            .find_map(PortBlock::at)
            .expect("a thousand blocks of ports are not all taken")
    }

    /// The port at `offset`, less than nine.
    pub(crate) fn port(&self, offset: u16) -> u16 {
        assert!(offset < BLOCK - 1, "the last port is the claim");
        self.first + offset
    }

    fn at(first: u16) -> Option<PortBlock> {
        let claim = bind(first + BLOCK - 1)?;
        let probes: Option<Vec<TcpListener>> = (first..first + BLOCK - 1).map(bind).collect();
        probes.map(|_| PortBlock { first, _claim: claim })
    }
}

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_overlap_while_they_live() {
        let blocks: Vec<PortBlock> = (0..20).map(|_| PortBlock::claim()).collect();
        let mut firsts: Vec<u16> = blocks.iter().map(|block| block.port(0)).collect();
        firsts.sort_unstable();
        assert!(
            firsts.windows(2).all(|pair| pair[1] - pair[0] >= BLOCK),
            "{firsts:?}"
        );
        assert!(firsts.iter().all(|first| RANGE.contains(first)));
    }
}
