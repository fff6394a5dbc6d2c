// Runs a graph model of TF.js: node tfjs_run.cjs REQUEST.json, from a folder with TF.js in it.
// The request: json, bin (files of the model), input (name of a node), shape and integer (of the
// input), pictures (file of float32 values, one picture after the other), outputs (names of nodes),
// answer (file that gets the outputs as float32, for each picture all outputs in turn).
const fs = require("fs");
const { createRequire } = require("module");
const load = createRequire(process.cwd() + "/");
const tf = load("@tensorflow/tfjs-core");
const { loadGraphModel } = load("@tensorflow/tfjs-converter");
load("@tensorflow/tfjs-backend-wasm");

function values(file) {
  const bytes = fs.readFileSync(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

async function main() {
  const request = JSON.parse(fs.readFileSync(process.argv[2]));
  const described = JSON.parse(fs.readFileSync(request.json));
  await tf.setBackend("wasm");
  const model = await loadGraphModel({
    load: async () => ({
      format: described.format,
      modelTopology: described.modelTopology,
      signature: described.signature,
      weightSpecs: described.weightsManifest[0].weights,
      weightData: values(request.bin),
    }),
  });
  const pictures = new Float32Array(values(request.pictures));
  const size = request.shape.reduce((product, side) => product * side);
  const kind = request.integer ? "int32" : "float32";
  const answers = [];
  for (let start = 0; start < pictures.length; start += size) {
    const picture = tf.tensor(pictures.slice(start, start + size), request.shape, kind);
    const outputs = model.execute({ [request.input]: picture }, request.outputs);
    for (const output of [outputs].flat()) {
      answers.push(Buffer.from(Float32Array.from(output.dataSync()).buffer));
    }
  }
  fs.writeFileSync(request.answer, Buffer.concat(answers));
}

main();
