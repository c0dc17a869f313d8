/// A simple 64-bit hash that gives the same number in every process, unlike `Hasher`. Not for secrets.
struct Mixer {
    private var state: UInt64 = 0x243f_6a88_85a3_08d3

    /// Folds a number in: a full-width multiplication whose halves are put together spreads each bit over all.
    mutating func combine(_ value: UInt64) {
        let product = (state ^ value ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
        state = (product.high ^ product.low) &+ value.byteSwapped &+ 0x1319_8a2e_0370_7344
    }

    mutating func combine(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { combine($0) }
    }

    mutating func combine(_ text: String) {
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { combine(UnsafeRawBufferPointer($0)) }
        if done == nil { combine(Array(text.utf8)) }
    }

    mutating func combine(_ value: UInt64?) {
        combine(value == nil ? 0 : 1 as UInt64)
        if let value { combine(value) }
    }

    mutating func combine(_ value: UInt32?) {
        combine(value.map(UInt64.init))
    }

    mutating func combine(_ moment: Timestamp?) {
        combine(moment.map { UInt64(bitPattern: $0.milliseconds) })
    }

    mutating func combine(_ text: String?) {
        combine(text == nil ? 0 : 1 as UInt64)
        if let text { combine(text) }
    }

    mutating func combine(_ id: JobID) {
        combine(id.high)
        combine(id.low)
    }

    mutating func combine(_ book: Book?) {
        combine(book == nil ? 0 : 1 as UInt64)
        guard let book else { return }
        combine(book.uuid)
        combine(book.name)
    }

    /// The length goes first, so that neighbouring texts can't trade bytes.
    private mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        combine(UInt64(bytes.count))
        var place = 0
        while place + 8 <= bytes.count {
            combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        guard place < bytes.count else { return }
        var tail: UInt64 = 0
        for byte in bytes[place...].reversed() { tail = tail << 8 | UInt64(byte) }
        combine(tail)
    }

    /// The hash of everything combined so far.
    var value: UInt64 {
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension NewJob {
    /// A fingerprint of what was asked for on which board: tells a repeated post from another one with the same uuid, even
    /// when the job has moved on since or is complete and its details are gone.
    func content(on board: String) -> UInt64 {
        var mixer = Mixer()
        mixer.combine(board)
        mixer.combine(name)
        mixer.combine(details)
        mixer.combine(UInt64(priority.rawValue))
        mixer.combine(book)
        mixer.combine(key)
        mixer.combine(notBefore)
        mixer.combine(delayMilliseconds)
        mixer.combine(expiresAfterMilliseconds)
        mixer.combine(leaseMilliseconds)
        mixer.combine(maxFailures)
        mixer.combine(maxLostClaims)
        return mixer.value
    }
}
