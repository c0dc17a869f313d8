import Consensus

// Everything on disk is little-endian and unaligned; a digest stands as SHA-256 gives it.

extension UnsafeRawBufferPointer {
    /// The integer at `offset`; the caller has checked that it lies inside.
    func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The digest at `offset`; the caller has checked that it lies inside.
    func digest(at offset: Int) -> Digest {
        Digest(
            high: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
            low: UInt64(bigEndian: loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
    }

    /// The part of it; the caller has checked that it lies inside.
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }
}

extension UnsafeMutableRawBufferPointer {
    func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }

    func put(_ digest: Digest, at offset: Int) {
        storeBytes(of: digest.high.bigEndian, toByteOffset: offset, as: UInt64.self)
        storeBytes(of: digest.low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }

    /// A reading view of the part.
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }
}

/// The smallest multiple of `step` (a power of two) that is not below the value.
func roundUp(_ value: UInt64, to step: UInt64) -> UInt64 {
    (value + step - 1) & ~(step - 1)
}

/// What acknowledged bytes never share with bytes still to be written: a page of the disk and of the page cache.
let pageBytes: UInt64 = 4096
