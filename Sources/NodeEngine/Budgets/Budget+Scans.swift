import Jobboard

/// What one request or one turn may look at of what other clients have stored.
extension Budget {
    static let scans = [listScan, nameRecords, heldClaims]

    package static let listScan = Budget(
        "list_records", per: .request, BoardLimits().pageScan, .count, meaning: "Records that one page of a listing looks at.",
        whenExceeded: "The page ends, perhaps short or empty, with a cursor from which the next one goes on.")

    package static let nameRecords = Budget(
        "name_index_records", per: .turn, 2000, .count,
        meaning: "Records that are looked at to build the index that claims by name need.",
        whenExceeded: "The next turn goes on; claims by name on the board wait.")

    package static let heldClaims = Budget(
        "held_claims", per: .node, 10_000, .count, meaning: "Claims by name that wait until the index of their board is built.",
        whenExceeded: "The claim is refused as `overloaded`.")
}
