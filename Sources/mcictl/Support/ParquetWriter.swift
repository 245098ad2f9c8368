// SPDX-License-Identifier: Apache-2.0

import Glibc
import System

/// A Python program that takes events from a pipe and writes a file.
enum ParquetWriter {
    /// How a bridge ended.
    enum End {
        case done
        /// A Python module is missing.
        case missingModule
        case failed(String)
    }

    /// The exit code of a bridge whose module is missing; codes from 128 are error numbers.
    private static let missingModule: Int32 = 10

    /// Converts CSV to Parquet, one piece at a time; only its exit code says how it failed.
    static let parquet = """
        import os, signal, sys
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            import pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as parquet
        except ImportError:
            os._exit(\(missingModule))
        text = ("type", "state", "class", "keysym", "modifiers", "app", "reason", "stream", "title",
                "axes", "kind", "name")
        types = dict.fromkeys(text, pa.string())
        types.update(dict.fromkeys(("time", "to"), pa.timestamp("ms", "UTC")))
        types.update(button=pa.uint8(), dx=pa.float64(), dy=pa.float64(), device=pa.uint8(),
                     x=pa.int16(), y=pa.int16(), finger=pa.uint8(), seconds=pa.uint16(),
                     injected=pa.bool_())
        convert = csv.ConvertOptions(column_types=types, strings_can_be_null=True,
                                     quoted_strings_can_be_null=False, null_values=[""])
        parse = csv.ParseOptions(newlines_in_values=True)
        try:
            with csv.open_csv(sys.stdin.buffer, parse_options=parse,
                              convert_options=convert) as events, \\
                    parquet.ParquetWriter(sys.stdout.buffer, events.schema, compression="zstd") as out:
                for batch in events:
                    out.write_batch(batch)
            sys.stdout.buffer.flush()
        except OSError as error:
            os._exit(128 + error.errno if 0 < (error.errno or 0) < 128 else 1)
        except BaseException:
            os._exit(1)
        os._exit(0)
        """

    /// Starts Python with a pipe to its standard input; its messages go to standard error.
    ///
    /// - Parameters:
    ///   - program: what Python runs.
    ///   - file: becomes its standard output, because a file without a name cannot be opened by name.
    /// - Returns: the process.
    /// - Throws: a ``Failure`` when there is no Python.
    static func start(_ program: String, into file: Int32) throws -> ChildProcess {
        guard let child = ChildProcess(["python3", "-c", program], output: file) else {
            throw Failure("Parquet needs python3, which was not found.", next: "--format csv")
        }
        return child
    }

    /// Waits for the end of a bridge.
    static func end(_ child: ChildProcess) -> End {
        let status = child.end()
        guard status != 0 else { return .done }
        guard status & 0x7F == 0 else { return .failed("Python was ended by a signal") }
        let code = (status >> 8) & 0xFF
        if code == missingModule { return .missingModule }
        guard code > 128, let text = unsafe strerror(code - 128) else {
            return .failed("Python ended with code \(code)")
        }
        return .failed(unsafe String(cString: text))
    }
}
