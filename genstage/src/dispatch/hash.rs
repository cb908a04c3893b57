use std::hash::{Hash, Hasher};

/// The hash by which events are partitioned: 64-bit FNV-1a over what [`Hash`] feeds it, integers in little-endian order,
/// `usize` as `u64`. The same on every machine, in every process and in every version of this crate.
///
/// ```
/// assert_eq!(genstage::stable_hash("attic"), genstage::stable_hash(&"attic".to_owned()));
/// assert_eq!(genstage::stable_hash(&1u32), 12_478_008_331_234_465_636);
/// ```
pub fn stable_hash<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    key.hash(&mut hasher);
    hasher.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }

    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }

    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }

    fn write_u128(&mut self, n: u128) {
        self.write(&n.to_le_bytes());
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
