// Checks an AsyncAPI document, the protobuf of its payloads included. Fails on errors and warnings.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { ProtoBuffSchemaParser } from '@asyncapi/protobuf-schema-parser';

const WARNING = 1;

const parser = new Parser();
parser.registerSchemaParser(ProtoBuffSchemaParser());
const [file] = process.argv.slice(2);
const { diagnostics, document } = await parser.parse(readFileSync(file, 'utf8'));
const faults = diagnostics.filter(({ severity }) => severity <= WARNING);
for (const { path, message } of faults) console.error(`${file}: ${path.join('/')}: ${message}`);
if (faults.length > 0 || !document) process.exit(1);
console.log(`${file}: ${document.allMessages().length} messages in ${document.allChannels().length} channels`);
