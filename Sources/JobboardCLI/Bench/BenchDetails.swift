/// The details of the jobs that `bench` posts.
enum BenchDetails {
    /// A JSON string of so many bytes that compresses about as well as text does.
    static func make(_ count: Int) -> [UInt8] {
        var text = "{\"text\":\""
        var number: UInt32 = 2_463_534_242
        while text.utf8.count < count - 2 {
            // Xorshift (Marsaglia 2003): the same text in every run.
            number ^= number << 13
            number ^= number >> 17
            number ^= number << 5
            text += words[Int(number % UInt32(words.count))]
        }
        return Array(text.utf8.prefix(count - 2)) + Array("\"}".utf8)
    }

    private static let words = [
        "width ", "height ", "resize ", "customer ", "invoice ", "4711 ", "1920 ", "bucket/", "upload-", "retry ", "eu-west ",
        "png ", "thumbnail ", "urgent ", "0815 ", "batch ",
    ]
}
