internal import LeatCore
internal import LeatStorage

/// What `leat-server token` does with the tokens of a data folder, while no server uses it.
public enum TokenProgram {
    /// Makes an admin token.
    ///
    /// - Parameters:
    ///   - name: The name of the token.
    ///   - dataPath: The data folder, which must not be in use.
    /// - Returns: The secret, for the only time.
    /// - Throws: `ServerProgram.Failure`.
    public static func createAdmin(_ name: String, dataPath: String) throws(ServerProgram.Failure) -> String {
        let time = SystemTime()
        let secret = Secret.random(.admin)
        do {
            let store = try Store.open(
                StoreOptions(path: dataPath, fileSystem: PosixFileSystem(), time: time)
            )
            let token = Token(
                name: name,
                kind: .admin,
                repository: nil,
                parser: nil,
                createdAt: time.now(),
                expiresAt: nil,
                secret: secret
            )
            let result = Result { try TokenStore(store).add(token) }
            try store.close()
            try result.get()
        } catch let fault as RequestFault {
            throw ServerProgram.Failure(description: fault.reason, exitCode: 65)
        } catch StorageError.dataFolderInUse(let path) {
            throw ServerProgram.Failure(
                description: "a server uses \(path); ask it: leat token create \(name) --kind admin",
                exitCode: 73
            )
        } catch {
            throw ServerProgram.Failure(description: "\(error)", exitCode: 74)
        }
        return secret.text
    }
}
