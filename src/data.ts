/**
 * Reading and writing files of points, without the engine: `import { readCsv } from "divflow/data"` brings the readers
 * alone.
 */
export { type CsvOptions, CsvReader, type CsvTable, readCsv } from "./data/csv.ts";
export { type FastaOptions, type FastaSequences, readFasta } from "./data/fasta.ts";
export { type ColumnMatch, matchColumns } from "./data/match-columns.ts";
export { isNpy, type NpyArray, NpyReader, npyHeader, readNpy, writeNpy } from "./data/npy.ts";
export { type NpyRows, type NpyRowsOptions, npyRows, type RowBlock } from "./data/npy-rows.ts";
export { NpzArchive, type NpzEntry, readNpz } from "./data/npz.ts";
export type { Points } from "./data/points.ts";
export { type FieldsOptions, type FieldsTable, readFields } from "./data/read-fields.ts";
export { columnsOf, pointsOfArray, pointsOfTable, readPoints } from "./data/read-points.ts";
export { isZip, type RandomAccess } from "./data/unzip.ts";
export { writeCsv } from "./data/write-csv.ts";
export { type ArrayToWrite, writeNpz } from "./data/write-npz.ts";
export { ConfigError, DataError, DivflowError, type ErrorCode, type ErrorFacts, LimitError } from "./errors.ts";
