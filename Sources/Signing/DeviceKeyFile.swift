// SPDX-License-Identifier: Apache-2.0

package import System

/// The file of the recorder's signing key, beside the ring: 64 hexadecimal digits and a line feed.
package enum DeviceKeyFile {
    /// Reads the key.
    ///
    /// - Parameter path: of the file.
    /// - Returns: nil when the file is missing, does not parse, or others can change it.
    package static func read(_ path: String) -> DeviceKey? {
        guard let bytes = try? Disk.readOwn(path, limit: 128) else { return nil }
        return DeviceKey(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }

    /// Reads the key, or makes one when there is none.
    ///
    /// Two processes that do so at once get the same key. A file that does not parse is kept with
    /// the suffix `.damaged`.
    ///
    /// - Parameter path: of the file.
    /// - Returns: the key.
    /// - Throws: ``FileError`` when a new file cannot be written, or when others can change the
    ///   existing one. That may be the right key with the wrong mode, so it is not replaced.
    package static func readOrMake(_ path: String) throws(FileError) -> DeviceKey {
        if let key = read(path) { return key }
        guard let lock = try FileLock.take(path + ".lock", patience: 1000) else {
            throw FileError.locked
        }
        defer { _ = lock }
        if let key = read(path) { return key }
        // This throws: nothing that is not trusted is set aside and replaced.
        if OwnPath.fault(path, .file) != nil { _ = try Disk.readOwn(path, limit: 128) }
        if Disk.exists(path) { try Disk.move(path, to: path + ".damaged") }
        let key = DeviceKey()
        try Disk.write(Array((key.secret + "\n").utf8), to: path)
        return key
    }
}
