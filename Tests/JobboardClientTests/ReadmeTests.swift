import Foundation
import Testing

/// What the README shows is what is compiled.
@Suite struct ReadmeTests {
    @Test func theProgramInTheReadmeIsTheOneThatIsBuilt() throws {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let program = try String(
            contentsOf: root.appending(path: "Examples/HelloJobboard/Sources/HelloJobboard/HelloJobboard.swift"),
            encoding: .utf8)
        #expect(readme.contains("```swift\n\(program)```"))
    }
}
