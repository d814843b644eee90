internal import LeatCore

/// `[INPUT] thermal`: temperatures in degrees Celsius, an event per sensor.
struct ThermalSource: SampleSource {
    private let files: SystemFiles
    private let namePattern: Pattern?
    private let typePattern: Pattern?

    /// `files` are those of `/sys`; the patterns choose sensors by their name and type.
    init(_ files: SystemFiles, namePattern: Pattern?, typePattern: Pattern?) {
        self.files = files
        self.namePattern = namePattern
        self.typePattern = typePattern
    }

    mutating func sample(_ now: Moment, to events: inout EventList) throws(InputError) {
        var readings = self.zones()
        if readings.isEmpty { readings = self.monitors() }
        guard !readings.isEmpty else { throw InputError(description: "\(self.files.root) has no such sensor") }
        for reading in readings {
            events.append("name", text: reading.name)
            events.append("type", text: reading.type)
            events.append("temp", rounded: reading.temperature)
            events.endEvent(time: now.wall)
        }
    }

    private typealias Reading = (name: String, type: String, temperature: Double)

    /// The zones that the kernel keeps cool.
    private func zones() -> [Reading] {
        self.folders("class/thermal", beginning: "thermal_zone", typeFile: "type").compactMap { folder in
            self.temperature("class/thermal/\(folder.name)/temp").map { (folder.name, folder.type, $0) }
        }
    }

    /// The sensors of hardware, up to ten of a chip.
    private func monitors() -> [Reading] {
        self.folders("class/hwmon", beginning: "hwmon", typeFile: "name").flatMap { folder in
            (0..<10).compactMap { number in
                self.temperature("class/hwmon/\(folder.name)/temp\(number)_input").map {
                    ("\(folder.name)_temp\(number)_input", folder.type, $0)
                }
            }
        }
    }

    private func folders(_ place: String, beginning: String, typeFile: String) -> [(name: String, type: String)] {
        // Machines without such a folder, and sensors that come and go, are not errors.
        let names = (try? self.files.list(place)) ?? []
        return names.filter { $0.hasPrefix(beginning) && self.namePattern.matches($0) }.compactMap { name in
            let type = (try? self.files.text("\(place)/\(name)/\(typeFile)"))?.prefix { $0 != "\n" }
            guard let type, self.typePattern.matches(String(type)) else { return nil }
            return (name, String(type))
        }
    }

    /// The kernel writes thousandths of a degree.
    private func temperature(_ name: String) -> Double? {
        (try? self.files.text(name)).flatMap { Double($0.prefix { $0 != "\n" }) }.map { $0 / 1_000 }
    }
}

extension Pattern? {
    /// Whether a text matches; anything does without a pattern.
    fileprivate func matches(_ text: String) -> Bool {
        guard let self else { return true }
        guard case .match = Array(text.utf8).withUnsafeBytes({ PatternMatcher(self).match($0) }) else { return false }
        return true
    }
}
