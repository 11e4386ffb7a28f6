//! `cidrhost`, `cidrsubnet` and their like.

use super::{Args, Returned, Stop};
use crate::value::Value;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Returned> {
    Some(match name {
        "cidrhost" => host(args),
        "cidrnetmask" => netmask(args),
        "cidrsubnet" => subnet(args),
        "cidrsubnets" => subnets(args),
        "cidrcontains" => contains(args),
        _ => return None,
    })
}

/// An address as a number, and how many bits it has. Zeros may lead, and count in tens all the same.
fn parsed(text: &str) -> Option<(u128, u32)> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|address| (u128::from(address), 128));
    }
    let octets: Vec<&str> = text.split('.').collect();
    let digits = |octet: &&str| (1..=3).contains(&octet.len()) && octet.bytes().all(|byte| byte.is_ascii_digit());
    if octets.len() != 4 || !octets.iter().all(digits) {
        return None;
    }
    let address = octets.iter().try_fold(0, |all: u128, octet| Some(all << 8 | u128::from(octet.parse::<u8>().ok()?)));
    address.map(|address| (address, 32))
}

/// A network: its address as a number, the prefix length, and how many bits an address has.
struct Network {
    address: u128,
    prefix: u32,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, Stop> {
        let bad = || Stop::Error("it is no network (`10.0.0.0/24`)".into());
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        let prefix: u32 = prefix.parse().map_err(|_| bad())?;
        let (address, bits) = parsed(address).ok_or_else(bad)?;
        if prefix > bits {
            return Err(bad());
        }
        let mut network = Self { address, prefix, bits };
        network.address &= !network.host_mask();
        Ok(network)
    }

    /// One bits where hosts are counted.
    fn host_mask(&self) -> u128 {
        let host = self.bits - self.prefix;
        if host == 128 { u128::MAX } else { (1 << host) - 1 }
    }

    fn show(&self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(address) if self.bits == 32 => Ipv4Addr::from(address).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }

    fn part(&self, new_bits: u32, number: u128) -> Result<Self, Stop> {
        let prefix = self.prefix + new_bits;
        if prefix > self.bits || (new_bits < 128 && number >= 1 << new_bits) {
            return Err("the network has no room for that".into());
        }
        let shift = self.bits - prefix;
        let offset = if shift == 128 { 0 } else { number << shift };
        Ok(Self { address: self.address | offset, prefix, bits: self.bits })
    }

    fn written(&self) -> Value {
        Value::known(&*format!("{}/{}", self.show(self.address), self.prefix))
    }
}

fn host(args: &Args<'_>) -> Returned {
    let network = Network::parse(&args.text(0)?)?;
    let number = args.whole(1)?;
    let mask = network.host_mask();
    let distance = u128::from(number.unsigned_abs());
    let host = if number < 0 { mask.wrapping_add(1).wrapping_sub(distance) & mask } else { distance };
    // Counted from the end, one more can be reached.
    if distance > mask && !(number < 0 && distance - 1 <= mask) {
        return Err("the network has no such host".into());
    }
    Ok(Value::known(&*network.show(network.address | host)))
}

fn netmask(args: &Args<'_>) -> Returned {
    let network = Network::parse(&args.text(0)?)?;
    if network.bits != 32 {
        return Err("only IPv4 has netmasks".into());
    }
    Ok(Value::known(&*network.show(u128::from(u32::MAX) & !network.host_mask())))
}

fn new_bits(args: &Args<'_>, index: usize) -> Result<u32, Stop> {
    u32::try_from(args.whole(index)?)
        .ok()
        .filter(|bits| *bits <= 128)
        .ok_or(Stop::Error("a number of bits is needed".into()))
}

fn subnet(args: &Args<'_>) -> Returned {
    let network = Network::parse(&args.text(0)?)?;
    let number = u128::try_from(args.whole(2)?).map_err(|_| Stop::Error("a number must not be negative".into()))?;
    Ok(network.part(new_bits(args, 1)?, number)?.written())
}

/// Networks one behind the other, each of its own size.
fn subnets(args: &Args<'_>) -> Returned {
    let network = Network::parse(&args.text(0)?)?;
    let mut next = network.address;
    let mut items = Vec::new();
    for index in 1..args.len() {
        let more = new_bits(args, index)?;
        let prefix = network.prefix + more;
        if prefix > network.bits || !(1..=32).contains(&more) {
            return Err("the network has no room for that".into());
        }
        let mut part = Network { address: next, prefix, bits: network.bits };
        let mask = part.host_mask();
        part.address = next.checked_add(mask).ok_or("the network has no room for that")? & !mask;
        if part.address & !network.host_mask() != network.address {
            return Err("the network has no room for that".into());
        }
        items.push(part.written());
        next = part.address.saturating_add(mask).saturating_add(1);
    }
    Ok(super::shaped(items, None, crate::value::Shape::Uniform))
}

/// Whether an address or a whole network lies in a network (`OpenTofu`).
fn contains(args: &Args<'_>) -> Returned {
    let (network, inner) = (Network::parse(&args.text(0)?)?, args.text(1)?);
    let inner = if inner.contains('/') {
        Network::parse(&inner)?
    } else {
        let (address, bits) = parsed(&inner).ok_or("it is no address")?;
        Network { address, prefix: bits, bits }
    };
    if inner.bits != network.bits {
        return Err("one is IPv4 and the other IPv6".into());
    }
    let inside = inner.prefix >= network.prefix && inner.address & !network.host_mask() == network.address;
    Ok(Value::known(inside))
}
