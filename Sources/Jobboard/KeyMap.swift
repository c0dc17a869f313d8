/// The live job that holds each key of each board. Split into 256 dictionaries, as `SplitMap` is and for the same reasons;
/// for all boards together, since most have few keys or none.
struct KeyMap: Sendable {
    private struct BoardKey: Hashable {
        let board: Int32
        let key: String
    }

    private var parts: [[BoardKey: Int32]] = Array(repeating: [:], count: 256)
    private(set) var count = 0

    /// The slot of the job with a key. Setting nil removes it.
    subscript(board: Int32, key: String) -> Int32? {
        get {
            let key = BoardKey(board: board, key: key)
            return parts[part(key)][key]
        }
        set {
            let key = BoardKey(board: board, key: key)
            let old: Int32?
            if let newValue {
                old = parts[part(key)].updateValue(newValue, forKey: key)
            } else {
                old = parts[part(key)].removeValue(forKey: key)
            }
            count += (newValue == nil ? 0 : 1) - (old == nil ? 0 : 1)
        }
    }

    /// By the standard hash, which knows that texts may be equal with different bytes. It is another one in each process;
    /// nothing depends on the part.
    private func part(_ key: BoardKey) -> Int {
        key.hashValue >> 16 & 0xff
    }
}
