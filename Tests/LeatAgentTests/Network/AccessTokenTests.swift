import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// OAuth 2 of the output `http`.
struct AccessTokenTests {
    static let answers: [(text: String, token: String?, life: Int64)] = [
        (#"{"access_token":"abc","token_type":"Bearer","expires_in":3600}"#, "abc", 3_600),
        (#" { "expires_in" : "60" , "token_type":"bearer", "access_token" : "a.b-c" } "#, "a.b-c", 60),
        (#"{"access_token":"abc"}"#, "abc", 300), (#"{"access_token":"abc","expires_in":-5}"#, "abc", 0),
        (#"{"access_token":"a\r\nb"}"#, nil, 0), (#"{"access_token":""}"#, nil, 0), ("{}", nil, 0), ("[]", nil, 0),
        (#"{"access_token":"abc","token_type":"mac"}"#, nil, 0), ("not JSON", nil, 0), ("", nil, 0),
    ]

    @Test(arguments: answers)
    func readsTheAnswerOfATokenEndpoint(text: String, token: String?, life: Int64) {
        let found = AccessTokens.token(in: Array(text.utf8))
        #expect(found?.text == token)
        #expect((found?.lifeSeconds ?? 0) == life)
    }

    @Test func formsAreEncoded() { #expect(PercentEncoding.encoded("a b&c=ä~".utf8) == "a%20b%26c%3D%C3%A4~") }

    /// A server that gives tokens and one that wants them.
    private final class Servers {
        private(set) var tokenRequests: [ReceivedRequest] = []
        private(set) var eventRequests: [ReceivedRequest] = []
        /// Tokens that are taken.
        var good: Set<String> = ["token1", "token2"]
        var tokenStatus = 200
        private var listeners: [HTTPListener] = []

        init(_ loop: EventLoop) throws {
            let options = StreamServer.Options(host: "127.0.0.1")
            let tokens = try HTTPListener(options, loop: loop) { [weak self] request, respond in
                guard let self else { return }
                self.tokenRequests.append(request)
                let body =
                    #"{"access_token":"token\#(self.tokenRequests.count)","token_type":"Bearer","expires_in":3600}"#
                respond(.json(body, status: self.tokenStatus))
            }
            let events = try HTTPListener(options, loop: loop) { [weak self] request, respond in
                guard let self else { return }
                self.eventRequests.append(request)
                let token = request.headers["authorization"]?.split(separator: " ").last.map(String.init) ?? ""
                respond(Answer(status: self.good.contains(token) ? 200 : 401))
            }
            self.listeners = [tokens, events]
        }

        var ports: (tokens: Int, events: Int) { (self.listeners[0].port, self.listeners[1].port) }

        func close() { for listener in self.listeners { listener.close() } }
    }

    private static func configuration(_ servers: Servers, _ keys: String = "", samples: Int) -> String {
        """
        [SERVICE]
            Flush 0.001
            scheduler.cap 0.02
        [INPUT]
            Name dummy
            Samples \(samples)
            Interval_Nsec 1000000
        [OUTPUT]
            Name http
            Match *
            Host 127.0.0.1
            Port \(servers.ports.events)
            oauth2.enable On
            oauth2.token_url http://127.0.0.1:\(servers.ports.tokens)/oauth/token?x=1
            oauth2.client_id me
            oauth2.client_secret s&cret
            oauth2.scope write logs
            \(keys)
        """
    }

    @Test(arguments: [false, true])
    func oneTokenServesUntilItIsRefused(posts: Bool) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let servers = try Servers(world.loop)
            servers.good = ["token1"]
            let method = posts ? "oauth2.auth_method post" : ""
            let agent = try world.start(Self.configuration(servers, method, samples: 300))
            let counters = try #require(agent.queues[0]?.counters)
            try world.turn("some delivered") { counters.deliveredEvents >= 5 }
            #expect(servers.tokenRequests.count == 1)
            servers.good = ["token2"]
            try world.turn("all delivered") { counters.deliveredEvents == 300 }
            #expect(servers.tokenRequests.count == 2)
            let request = servers.tokenRequests[0]
            #expect(request.path == "/oauth/token" && request.query == "x=1")
            #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
            let form = "grant_type=client_credentials&scope=write%20logs"
            let secret = posts ? "&client_id=me&client_secret=s%26cret" : ""
            #expect(String(decoding: request.body, as: UTF8.self) == form + secret)
            #expect(request.headers["authorization"] == (posts ? nil : "Basic bWU6cyZjcmV0"))
            #expect(servers.eventRequests.first?.headers["authorization"] == "Bearer token1")
            agent.stop()
            servers.close()
        }
    }

    @Test func eventsWaitForATokenEndpointThatIsDown() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let servers = try Servers(world.loop)
            servers.tokenStatus = 503
            servers.good = Set((1...1_000).map { "token\($0)" })
            let agent = try world.start(Self.configuration(servers, samples: 3))
            let counters = try #require(agent.queues[0]?.counters)
            try world.turn("two failures") { counters.errors >= 2 }
            #expect(servers.eventRequests.isEmpty)
            #expect(world.lines("agent.log").contains { $0.contains("token endpoint") && $0.contains("answers 503") })
            servers.tokenStatus = 200
            try world.turn("all delivered") { counters.deliveredEvents == 3 }
            agent.stop()
            servers.close()
        }
    }
}
