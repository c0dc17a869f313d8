import Foundation
import Jobboard
import WireFormat

/// A file of jobs such as a web shop would post.
enum DemoJobs {
    /// Writes so many jobs, each with a uuid of its own, and gives the uuids.
    static func write(_ count: Int, to path: String) throws(CommandFailure) -> [JobID] {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .failed("can't write \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var ids: [JobID] = []
        ids.reserveCapacity(count)
        var writer = JSONWriter()
        for number in 0..<count {
            let id = JobID.random()
            ids.append(id)
            write(number, id, &writer)
            guard writer.bytes.count > 1 << 18 || number == count - 1 else { continue }
            let code = Console.write(writer.bytes, to: file)
            guard code == 0 else { throw .failed("\(path): \(String(cString: strerror(code)))") }
            writer = JSONWriter()
        }
        return ids
    }

    private static func write(_ number: Int, _ id: JobID, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("uuid", "\(id)")
        switch number % 10 {
        case 0..<4: resize(number, &writer)
        case 4..<7: email(number, &writer)
        case 7..<9: invoice(number, &writer)
        default: transcode(number, &writer)
        }
        writer.endObject()
        writer.endLine()
    }

    private static func resize(_ number: Int, _ writer: inout JSONWriter) {
        writer.field("name", "resize-image")
        writer.key("details")
        writer.beginObject()
        writer.field("source", "uploads/2026/03/\(number % 31 + 1)/IMG_\(10_000 + number).jpg")
        writer.field("width", UInt64(320 << (number / 10 % 3)))
        writer.field("height", UInt64(240 << (number / 10 % 3)))
        writer.field("format", number.isMultiple(of: 4) ? "webp" : "jpeg")
        writer.field("keep_metadata", number.isMultiple(of: 20))
        writer.endObject()
    }

    private static func email(_ number: Int, _ writer: inout JSONWriter) {
        let isUrgent = number.isMultiple(of: 25)
        writer.field("name", "send-email")
        writer.field("priority", isUrgent ? "VERY_HIGH" : "HIGH")
        writer.key("details")
        writer.beginObject()
        writer.field("to", "customer-\(number * 7919 % 100_000)@example.com")
        writer.field("template", isUrgent ? "password-reset" : "order-shipped")
        writer.field("language", ["de", "en", "fr", "it"][number / 10 % 4])
        writer.field("order", "2026-\(100_000 + number)")
        writer.endObject()
    }

    private static func invoice(_ number: Int, _ writer: inout JSONWriter) {
        writer.field("name", "sync-invoice")
        writer.field("key", "invoice-\(200_000 + number)")
        writer.field("max_failures", 5)
        writer.key("details")
        writer.beginObject()
        writer.field("invoice", "R-2026-\(200_000 + number)")
        writer.field("cents", UInt64(499 + number * 104_729 % 250_000))
        writer.field("currency", "EUR")
        writer.endObject()
    }

    private static func transcode(_ number: Int, _ writer: inout JSONWriter) {
        writer.field("name", "transcode-video")
        writer.field("priority", "LOW")
        writer.key("details")
        writer.beginObject()
        writer.field("source", "videos/\(number)/master.mov")
        writer.key("renditions")
        writer.beginArray()
        for height in ["1080p", "720p", "480p"] { writer.string(height) }
        writer.endArray()
        writer.field("codec", "av1")
        writer.endObject()
    }
}
