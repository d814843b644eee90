import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

struct StoreTests {
    static let someRows: [Row] = [
        ["message": "first", "level": "INFO"], ["message": "second", "status": "500"], ["level": ""],
    ]

    @Test func appendedRowsAreVisibleAtOnce() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        let tags = DatasourceTags([.init(name: "index", value: "logs")])
        let outcome = try await store.append(
            IngestBatch(repository: "web", tags: tags, batch: .rows(Self.someRows), arrivedAt: arrival)
        )
        #expect(outcome.stored.count == 1)
        let expected = Self.someRows.map { $0.merging(["#index": "logs"]) { $1 } }
        #expect(try store.snapshot(repository: "web").rows() == expected)
        let own = try store.snapshot(repository: "web").rows(withOwn: true)
        #expect(own.map { $0["@id"] } == ["0", "1", "2"])
        #expect(own.allSatisfy { $0["@ingesttimestamp"] == "1700000000123" && $0["#repo"] == "web" })
        try store.close()
    }

    @Test(arguments: [false, true])
    func rowsSurviveTheEnd(isClean: Bool) async throws {
        let folder = try TemporaryFolder()
        var expected: [Row] = []
        for round in 0..<4 {
            let store = try Store.open(testOptions(folder.path))
            if round == 0 { try store.createRepository("web") }
            #expect(try store.snapshot(repository: "web").rows() == expected)
            for index in 0..<20 {
                let rows = Self.someRows.map { $0.merging(["n": "\(round)-\(index)"]) { $1 } }
                let batch = IngestBatch(repository: "web", batch: .rows(rows), arrivedAt: arrival)
                _ = try await store.append(batch)
                expected += rows
                if index == 10 && round > 1 { try store.seal() }
            }
            #expect(try store.snapshot(repository: "web").rows() == expected)
            if isClean { try store.close() } else { store.abandon() }
        }
        let store = try Store.open(testOptions(folder.path))
        let snapshot = try store.snapshot(repository: "web")
        #expect(try snapshot.rows() == expected)
        #expect(snapshot.damaged == [])
        #expect(store.status().repositories[0].rowCount == expected.count)
        #expect(isClean == (store.status().repositories[0].openRowCount == 0))
        try store.close()
    }

    @Test func aRepeatedBatchIsStoredOnce() async throws {
        let folder = try TemporaryFolder()
        var store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        let refused = [RefusedItem(position: 3, status: 400, type: "document_parsing_exception", reason: "no")]
        var batch = IngestBatch(repository: "web", batch: .rows(Self.someRows), arrivedAt: arrival)
        batch.key = BatchKey(credential: "", series: 7, number: 1, hash: 99)
        batch.refused = refused
        #expect(try await store.append(batch).isRepeat == false)
        for step in 0..<4 {
            let repeated = try await store.append(batch)
            #expect(repeated.isRepeat && repeated.refused == refused && repeated.stored.isEmpty, "step \(step)")
            switch step {
            case 0: store.abandon()
            case 1: try store.close()
            default: break
            }
            if step < 2 { store = try Store.open(testOptions(folder.path)) }
        }
        #expect(try store.snapshot(repository: "web").rows() == Self.someRows)

        batch.key = BatchKey(credential: "", series: 7, number: 1, hash: 100)
        #expect(try await store.append(batch).differsFromFirst)
        batch.key = BatchKey(credential: "other", series: 7, number: 1, hash: 99)
        #expect(try await store.append(batch).isRepeat == false)
        #expect(try store.snapshot(repository: "web").rows().count == 9)
        try store.close()
    }

    @Test func aRepeatedIDIsStoredOnce() async throws {
        let folder = try TemporaryFolder()
        var store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        let ids: [ByteSlice?] = [ByteSlice("a"), nil, ByteSlice("a")]
        let batch = IngestBatch(repository: "web", batch: .rows(Self.someRows), ids: ids, arrivedAt: arrival)
        #expect(try await store.append(batch).repeatedIDs == [[2]])
        #expect(try await store.append(batch).repeatedIDs == [[0, 2]])
        store.abandon()
        store = try Store.open(testOptions(folder.path))
        #expect(try await store.append(batch).repeatedIDs == [[0, 2]])
        try store.close()
        store = try Store.open(testOptions(folder.path))
        #expect(try await store.append(batch).repeatedIDs == [[0, 2]], "ids outlive the journal")
        let expected = [Self.someRows[0]] + [Row](repeating: Self.someRows[1], count: 4)
        #expect(try store.snapshot(repository: "web").rows() == expected)
        try store.close()
    }

    @Test func compactingLeavesNoJournal() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        _ = try await store.append(IngestBatch(repository: "web", batch: .rows(Self.someRows), arrivedAt: arrival))
        #expect(store.status().journalByteCount > 0)
        try store.compact()
        #expect(store.status().journalByteCount == 0)
        _ = try await store.append(IngestBatch(repository: "web", batch: .rows(Self.someRows), arrivedAt: arrival))
        store.abandon()
        let again = try Store.open(testOptions(folder.path))
        #expect(try again.snapshot(repository: "web").rows() == Self.someRows + Self.someRows)
        try again.close()
    }

    @Test func repeatsAloneInADatasourceDoNotKeepTheJournal() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        for (index, repeated) in [("a", []), ("b", [0])] as [(String, [Int])] {
            let batch = IngestBatch(
                repository: "web",
                tags: DatasourceTags([.init(name: "#index", value: index)]),
                batch: .rows([["n": "1"]]),
                ids: [ByteSlice("id")],
                arrivedAt: arrival
            )
            #expect(try await store.append(batch).repeatedIDs == [repeated])
        }
        try store.compact()
        #expect(store.status().journalByteCount == 0)
        try store.close()
    }

    @Test func oldIDsAreForgotten() async throws {
        let folder = try TemporaryFolder()
        let time = ManualTime()
        var options = testOptions(folder.path)
        options.time = time
        let store = try Store.open(options)
        try store.createRepository("web")
        for round in 0..<2 {
            let batch = IngestBatch(
                repository: "web",
                batch: .rows([["n": "1"]]),
                ids: [ByteSlice("a")],
                arrivedAt: time.now()
            )
            #expect(try await store.append(batch).repeatedIDs == [[]], "round \(round)")
            #expect(try await store.append(batch).repeatedIDs == [[0]], "round \(round)")
            try store.compact()
            #expect(try store.idObjects.list().count == 1, "round \(round)")
            time.advance(by: .seconds(25 * 3_600))
        }
        try store.close()
    }

    @Test func aFolderHasOneOwner() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        #expect(throws: StorageError.self) { try Store.open(testOptions(folder.path)) }
        try store.close()
    }

    @Test func manySmallAppendsBecomeFewBatches() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<2_000 {
                group.addTask {
                    let batch = IngestBatch(repository: "web", batch: .rows([["n": "\(index)"]]), arrivedAt: arrival)
                    _ = try await store.append(batch)
                }
            }
            try await group.waitForAll()
        }
        let snapshot = try store.snapshot(repository: "web")
        #expect(snapshot.blocks.count < 64)
        #expect(Set(try snapshot.rows().map { $0["n"] }).count == 2_000)
        #expect(store.status().counters.syncCount < 2_000)
        try store.close()
    }

    @Test func repositoriesComeAndGo() async throws {
        let folder = try TemporaryFolder()
        var store = try Store.open(testOptions(folder.path))
        try store.createRepository("web", retention: Retention(ageSeconds: 60, byteCount: nil))
        #expect(throws: StorageError.self) { try store.createRepository("web") }
        #expect(throws: StorageError.self) { try store.createRepository("we b") }
        #expect(throws: StorageError.self) { try store.snapshot(repository: "wep") }
        _ = try await store.append(IngestBatch(repository: "web", batch: .rows(Self.someRows), arrivedAt: arrival))
        try store.deleteRepository("web")
        try store.createRepository("web")
        #expect(try store.snapshot(repository: "web").rows() == [])
        try store.setDocument([1, 2], kind: "token", name: "a")
        store.abandon()
        store = try Store.open(testOptions(folder.path))
        #expect(try store.snapshot(repository: "web").rows() == [])
        #expect(try store.documents(kind: "token") == ["a": [1, 2]])
        #expect(store.repositories.map(\.retention) == [.standard])
        try store.close()
    }

    @Test func tagsBeyondTheLimitShareDatasources() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("web")
        for start in stride(from: 0, to: StorageLimits.datasourceCountMax + 50, by: 50) {
            let parts = (start..<start + 50).map { index in
                let tags = DatasourceTags([.init(name: "#pod", value: "\(index)")])
                return IngestPart(tags: tags, batch: .rows([["n": "\(index)"]]))
            }
            _ = try await store.append(IngestBatch(repository: "web", parts: parts, arrivedAt: arrival))
        }
        try store.seal()
        let rows = try store.snapshot(repository: "web").rows()
        #expect(rows.count == StorageLimits.datasourceCountMax + 50)
        #expect(rows.allSatisfy { $0["n"] == $0["#pod"] })
        let status = store.status().repositories[0]
        #expect(status.datasourceCount <= StorageLimits.datasourceCountMax + StorageLimits.overflowDatasourceCount)
        #expect(status.segmentCount == 1)
        #expect(status.warnings.count == 1 && status.warnings[0].contains("1000 combinations"))
        try store.close()
    }
}
