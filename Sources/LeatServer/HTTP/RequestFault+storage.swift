internal import LeatStorage

extension RequestFault {
    /// How an API words a refusal of storage: 429 when it may be tried again soon, 503 when something is broken.
    init(_ error: StorageError, for route: Route) {
        let (status, type): (Int, String) =
            switch error {
            case .unknownRepository: (404, "index_not_found_exception")
            case .repositoryExists: (409, "resource_already_exists_exception")
            case .invalidRepositoryName: (400, "invalid_index_name_exception")
            case .diskFull, .overloaded: (429, "es_rejected_execution_exception")
            case .batchTooLarge: (413, "content_too_large_exception")
            case .journalFailed, .closed, .dataFolderInUse: (503, "unavailable_shards_exception")
            case .file, .catalog, .damaged: (503, "storage_exception")
            }
        self.init(status: status, type: type, reason: "\(error)", for: route)
    }

    /// A failure of ours, without its details.
    static func internalFailure(for route: Route) -> RequestFault {
        RequestFault(
            status: 500,
            type: "exception",
            reason: "internal error; the server's log has the details",
            for: route
        )
    }

    /// A refusal in the words of the API that was called.
    init(status: Int, type: String, reason: String, for route: Route) {
        switch route {
        case .elastic, .unknown: self = .elastic(status, type, reason)
        case .ingest(.splunkEvent, _), .ingest(.splunkRaw, _), .ingest(.splunkAck, _), .ingest(.splunkHealth, _):
            self = .splunk(status, code: status == 429 || status == 503 ? 9 : status == 500 ? 8 : 6, reason)
        default: self = .text(status, type, reason)
        }
    }
}
