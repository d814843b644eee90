import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// What the inputs that look at the machine make of the kernel's files.
struct SampleSourceTests {
    /// A tree like `/proc` that changes between two readings.
    private struct World {
        let folder: TemporaryFolder
        let time = ManualTime()

        var files: SystemFiles { SystemFiles(root: self.folder.path, disk: PosixFileSystem()) }

        func write(_ files: [String: String]) throws {
            for (name, text) in files { _ = try self.folder.write(name, text) }
        }

        /// The records that a source makes a second later.
        func sample(_ source: inout some SampleSource) throws -> [String] {
            self.time.advance(by: .seconds(1))
            var events = EventList()
            try source.sample(Moment(self.time), to: &events)
            return (0..<events.count).map { index in
                events.withMembers(of: index) { "{\(String(decoding: $0, as: UTF8.self))}" }
            }
        }
    }

    private static func withWorld(_ body: (World) throws -> Void) throws {
        try withTemporaryFolder { folder in try body(World(folder: folder)) }
    }

    // MARK: cpu

    @Test
    func cpuIsTheShareOfTheIntervalAndOfAllProcessors() throws {
        try Self.withWorld { world in
            try world.write([
                "stat": """
                cpu  100 20 30 1000 5 0 0 0 0 0
                cpu0 50 20 15 500 5 0 0 0 0 0
                cpu1 50 0 15 500 0 0 0 0 0 0
                intr 99 1 2 3

                """
            ])
            var source = CPUSource(world.files, pid: nil, ticksPerSecond: 100)
            try source.prepare(Moment(world.time))
            try world.write([
                "stat": """
                cpu  150 30 50 1100 5 0 0 0 0 0
                cpu0 100 30 35 500 5 0 0 0 0 0
                cpu1 50 0 15 600 0 0 0 0 0 0
                cpu2 1 1 1 1 1 1 1 1 1 1

                """
            ])
            #expect(
                try world.sample(&source) == [
                    #"{"cpu_p":26.667,"user_p":20.0,"system_p":6.667,"cpu0.p_cpu":80.0,"cpu0.p_user":60.0,"cpu0.p_system":20.0,"cpu1.p_cpu":0.0,"cpu1.p_user":0.0,"cpu1.p_system":0.0}"#
                ]
            )
        }
    }

    @Test
    func cpuIsNeverMoreThanAll() throws {
        try Self.withWorld { world in
            try world.write(["stat": "cpu 0 0 0 0\ncpu0 0 0 0 0\n"])
            var source = CPUSource(world.files, pid: nil, ticksPerSecond: 100)
            try source.prepare(Moment(world.time))
            try world.write(["stat": "cpu 101 0 1 0\ncpu0 101 0 1 0\n"])
            #expect(try world.sample(&source)[0].hasPrefix(#"{"cpu_p":100.0,"user_p":100.0,"system_p":1.0,"#))
            // Turned off and on again.
            try world.write(["stat": "cpu 5 0 1 0\ncpu0 5 0 1 0\n"])
            #expect(try world.sample(&source)[0].hasPrefix(#"{"cpu_p":0.0,"user_p":0.0,"system_p":0.0,"#))
        }
    }

    @Test
    func cpuOfAProcessIsItsOwnShare() throws {
        try Self.withWorld { world in
            try world.write([
                "stat": "cpu 1 1 1 1\ncpu0 1 1 1 1\ncpu1 1 1 1 1\n",
                "7/stat": Self.processLine(name: "a) b (c", user: 10, system: 5, pages: 3),
            ])
            var source = CPUSource(world.files, pid: 7, ticksPerSecond: 100)
            try source.prepare(Moment(world.time))
            try world.write(["7/stat": Self.processLine(name: "a) b (c", user: 60, system: 25, pages: 3)])
            #expect(try world.sample(&source) == [#"{"cpu_p":35.0,"user_p":25.0,"system_p":10.0}"#])
            try PosixFileSystem().remove(world.folder.path("7/stat"))
            #expect(throws: InputError.self) { try world.sample(&source) }
            // Another process under the number is not compared with the one that is gone.
            try world.write(["7/stat": Self.processLine(name: "new", user: 1_000, system: 0, pages: 3)])
            #expect(try world.sample(&source) == [])
        }
    }

    private static func processLine(name: String, user: Int, system: Int, pages: Int) -> String {
        "7 (\(name)) S 1 7 7 0 -1 4194560 1 2 3 4 \(user) \(system) 0 0 20 0 1 0 100 4096 \(pages) 18446744073709551615 1\n"
    }

    @Test
    func aMachineWithoutCountsIsSaidAtTheStart() throws {
        try Self.withWorld { world in
            var source = CPUSource(world.files, pid: nil)
            #expect(throws: InputError.self) { try source.prepare(Moment(world.time)) }
            try world.write(["stat": "nothing\n"])
            #expect(throws: InputError.self) { try source.prepare(Moment(world.time)) }
        }
    }

    // MARK: mem

    private static let memory =
        "MemTotal:  8000 kB\nMemFree:  3000 kB\nMemAvailable: 5000 kB\nSwapTotal: 100 kB\nSwapFree: 100 kB\n"

    @Test
    func memoryIsWhatTheKernelSays() throws {
        try Self.withWorld { world in
            try world.write([
                "meminfo": Self.memory, "7/stat": Self.processLine(name: "x", user: 1, system: 1, pages: 3),
            ])
            let all =
                #"{"Mem.total":8000,"Mem.used":5000,"Mem.free":3000,"Swap.total":100,"Swap.used":0,"Swap.free":100"#
            var source = MemorySource(world.files, pid: nil)
            #expect(try world.sample(&source) == [all + "}"])
            var own = MemorySource(world.files, pid: 7, pageByteCount: 4_096)
            #expect(try world.sample(&own) == [all + #","proc_bytes":12288,"proc_hr":"12.00K"}"#])
        }
    }

    @Test
    func aProcessThatHasEndedIsSaidOnceAndTheMemoryGoesOn() throws {
        try Self.withWorld { world in
            try world.write(["meminfo": Self.memory])
            var source = MemorySource(world.files, pid: 7, pageByteCount: 4_096)
            var events = EventList()
            #expect(throws: InputError.self) { try source.sample(Moment(world.time), to: &events) }
            #expect(events.count == 1)
            #expect(try world.sample(&source).count == 1)
        }
    }

    @Test(
        arguments: [
            (512, "512 b"), (1_024, "1.00K"), (1_536, "1.50K"), (12_845_056, "12.25M"), (1_073_741_824, "1.00G"),
        ] as [(UInt64, String)]
    )
    func sizesAreWrittenForPeople(byteCount: UInt64, text: String) {
        #expect(MemorySource.sizeText(byteCount) == text)
    }

    // MARK: disk

    @Test
    func disksAreSummedUpAndChosenByName() throws {
        try Self.withWorld { world in
            func disks(_ sda: (Int, Int), _ sdb: (Int, Int)) -> [String: String] {
                [
                    "diskstats": """
                       8       0 sda 1 2 \(sda.0) 4 5 6 \(sda.1) 8 9 10 11
                       8      16 sdb 1 2 \(sdb.0) 4 5 6 \(sdb.1) 8 9 10 11

                    """
                ]
            }
            try world.write(disks((10, 20), (100, 100)))
            var all = DiskSource(world.files, deviceName: nil)
            var one = DiskSource(world.files, deviceName: "sda")
            try all.prepare(Moment(world.time))
            try one.prepare(Moment(world.time))
            // The second one was replaced by a disk that counts from 0.
            try world.write(disks((12, 20), (4, 1)))
            #expect(try world.sample(&all) == [#"{"read_size":3072,"write_size":512}"#])
            #expect(try world.sample(&one) == [#"{"read_size":1024,"write_size":0}"#])
            #expect(try world.sample(&one) == [#"{"read_size":0,"write_size":0}"#])
        }
    }

    // MARK: netif

    private static func network(_ received: Int, _ sent: Int) -> [String: String] {
        [
            "net/dev": """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9
              eth0:\(received) 2 0 4 0 0 0 8 \(sent) 10 0 0 0 0 0 16
             eth01: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1

            """
        ]
    }

    @Test
    func anInterfaceIsComparedWithTheLastReading() throws {
        try Self.withWorld { world in
            try world.write(Self.network(1_000, 50))
            var source = NetworkSource(world.files, interface: "eth0", isVerbose: false, mustExist: true)
            var verbose = NetworkSource(world.files, interface: "eth0", isVerbose: true, mustExist: true)
            try source.prepare(Moment(world.time))
            try verbose.prepare(Moment(world.time))
            try world.write(Self.network(1_500, 40))
            #expect(
                try world.sample(&source) == [
                    #"{"eth0.rx.bytes":500,"eth0.rx.packets":0,"eth0.rx.errors":0,"eth0.tx.bytes":40,"eth0.tx.packets":0,"eth0.tx.errors":0}"#
                ]
            )
            let text = try world.sample(&verbose)[0]
            #expect(text.split(separator: ",").count == 16)
            #expect(text.contains(#""eth0.rx.multicast":0"#) && text.contains(#""eth0.tx.compressepd":0"#))
        }
    }

    @Test
    func anInterfaceMayComeLater() throws {
        try Self.withWorld { world in
            try world.write(Self.network(1, 1))
            var needed = NetworkSource(world.files, interface: "eth9", isVerbose: false, mustExist: true)
            #expect(throws: InputError.self) { try needed.prepare(Moment(world.time)) }
            var source = NetworkSource(world.files, interface: "eth9", isVerbose: false, mustExist: false)
            try source.prepare(Moment(world.time))
            #expect(throws: InputError.self) { try world.sample(&source) }
            try world.write(["net/dev": "eth9: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"])
            #expect(try world.sample(&source) == [])
            #expect(try world.sample(&source).count == 1)
        }
    }

    // MARK: proc

    @Test
    func aProgramIsFoundByTheNameOfItsFile() throws {
        try Self.withWorld { world in
            try world.write([
                "10/cmdline": "/usr/sbin/other\0server\0", "20/cmdline": "/usr/sbin/server\0-x\0/a/b\0",
                "self/cmdline": "server\0",
                "20/status": "Name:\tserver\nVmPeak:\t   200 kB\nVmRSS:\t 100 kB\nThreads:\t4\n", "20/fd/0": "",
                "20/fd/1": "",
            ])
            var options = ProcessSource.Options(name: "server")
            var source = ProcessSource(world.files, options)
            #expect(
                try world.sample(&source) == [
                    #"{"alive":true,"proc_name":"server","pid":20,"mem.VmPeak":200000,"mem.VmSize":0,"mem.VmLck":0,"mem.VmHWM":0,"mem.VmRSS":100000,"mem.VmData":0,"mem.VmStk":0,"mem.VmExe":0,"mem.VmLib":0,"mem.VmPTE":0,"mem.VmSwap":0,"fd":2}"#
                ]
            )
            options.addsMemory = false
            options.addsFileCount = false
            var short = ProcessSource(world.files, options)
            #expect(try world.sample(&short) == [#"{"alive":true,"proc_name":"server","pid":20}"#])
            options.onlyWhenGone = true
            var alert = ProcessSource(world.files, options)
            #expect(try world.sample(&alert) == [])
            try world.write(["20/cmdline": "/usr/sbin/another\0"])
            let gone = #"{"alive":false,"proc_name":"server","pid":-1}"#
            #expect(try world.sample(&alert) == [gone])
            #expect(try world.sample(&source) == [gone])
        }
    }

    // MARK: head

    static let heads: [(change: @Sendable (inout HeadSource.Options) -> Void, record: String)] = [
        ({ _ in }, #"{"head":"one\ntwo\nthree"}"#), ({ $0.byteCountMax = 5 }, #"{"head":"one\nt"}"#),
        (
            {
                $0.lineCount = 2
                $0.key = "k"
            }, #"{"k":"one\ntwo\n"}"#
        ), ({ $0.lineCount = 9 }, #"{"head":"one\ntwo\nthree"}"#),
        (
            {
                $0.lineCount = 4
                $0.splitsLines = true
            }, #"{"line0":"one","line1":"two","line2":"three","line3":""}"#
        ),
        (
            {
                $0.lineCount = 1
                $0.splitsLines = true
            }, #"{"line0":"one"}"#
        ),
    ]

    @Test(arguments: heads.indices)
    func theBeginningOfAFileIsAnEvent(index: Int) throws {
        try Self.withWorld { world in
            var options = HeadSource.Options(path: try world.folder.write("file", "one\ntwo\nthree"))
            Self.heads[index].change(&options)
            var source = HeadSource(options, disk: PosixFileSystem())
            #expect(try world.sample(&source) == [Self.heads[index].record])
            options.addsPath = true
            var withPath = HeadSource(options, disk: PosixFileSystem())
            #expect(try world.sample(&withPath)[0].contains(#""path":"\#(options.path)""#))
        }
    }

    @Test
    func aFileThatIsNotThereOrNoFileIsSaid() throws {
        try Self.withWorld { world in
            for path in [world.folder.path("nothing"), world.folder.path, "/dev/zero"] {
                var source = HeadSource(HeadSource.Options(path: path), disk: PosixFileSystem())
                #expect(throws: InputError.self) { try world.sample(&source) }
            }
        }
    }

    // MARK: random and thermal

    @Test
    func randomNumbersEndWithTheSamples() throws {
        try Self.withWorld { world in
            var source = RandomSource(sampleCount: 2)
            var seen: Set<String> = []
            while !source.isDone { seen.formUnion(try world.sample(&source)) }
            #expect(seen.count == 2 && seen.allSatisfy { $0.wholeMatch(of: #/\{"rand_value":\d+\}/#) != nil })
            #expect(!RandomSource(sampleCount: nil).isDone && RandomSource(sampleCount: 0).isDone)
        }
    }

    @Test
    func temperaturesAreThoseOfZonesOrElseOfChips() throws {
        try Self.withWorld { world in
            try world.write([
                "class/hwmon/hwmon1/name": "coretemp\n", "class/hwmon/hwmon1/temp2_input": "45500\n",
                "class/hwmon/hwmon0/name": "nvme\n", "class/hwmon/hwmon0/temp1_input": "30000\n",
            ])
            var chips = ThermalSource(world.files, namePattern: nil, typePattern: try Pattern("core"))
            #expect(try world.sample(&chips) == [#"{"name":"hwmon1_temp2_input","type":"coretemp","temp":45.5}"#])
            try world.write([
                "class/thermal/thermal_zone0/type": "acpitz\n", "class/thermal/thermal_zone0/temp": "27800\n",
                "class/thermal/thermal_zone1/type": "x86\n", "class/thermal/cooling_device0/type": "fan\n",
            ])
            var zones = ThermalSource(world.files, namePattern: try Pattern("zone"), typePattern: nil)
            #expect(try world.sample(&zones) == [#"{"name":"thermal_zone0","type":"acpitz","temp":27.8}"#])
            var none = ThermalSource(world.files, namePattern: try Pattern("nothing"), typePattern: nil)
            #expect(throws: InputError.self) { try world.sample(&none) }
        }
    }
}
