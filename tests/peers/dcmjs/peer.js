// dcmjs-dimse as a client and as a server, for the tests. What a client request gave is one line of JSON.
'use strict';

const fs = require('fs');
const path = require('path');
const { Client, Dataset, Scp, Server, Transcoding, log, constants, requests, responses } = require('dcmjs-dimse');

const { PresentationContextResult, SopClass, Status, StorageClass, TransferSyntax } = constants;
const SERVICES = [
  SopClass.Verification,
  SopClass.StudyRootQueryRetrieveInformationModelFind,
  SopClass.StudyRootQueryRetrieveInformationModelMove,
  SopClass.StudyRootQueryRetrieveInformationModelGet,
];
const STORAGE = Object.values(StorageClass);
const SYNTAXES = [
  TransferSyntax.RleLossless,
  TransferSyntax.ExplicitVRLittleEndian,
  TransferSyntax.ImplicitVRLittleEndian,
];

log.setLevel('error');

function write(folder, dataset) {
  const file = path.join(folder, `${dataset.getElement('SOPInstanceUID')}.dcm`);
  dataset.toFile(`${file}.part`);
  fs.renameSync(`${file}.part`, file);
}

function ask(request, host, port, calling, called, folder) {
  const told = { status: null, answers: [], error: '' };
  const client = new Client();
  for (const one of [].concat(request)) {
    one.on('response', (response) => {
      if (response.getStatus() === Status.Pending) {
        if (response.hasDataset()) told.answers.push(response.getDataset().getElements());
      } else {
        told.status = Math.max(told.status ?? 0, response.getStatus());
        for (const count of ['Completed', 'Failures', 'Warnings']) {
          if (response[`get${count}`]) told[count.toLowerCase()] = response[`get${count}`]();
        }
      }
    });
    client.addRequest(one);
  }
  client.on('cStoreRequest', (store, callback) => {
    write(folder, store.getDataset());
    const response = responses.CStoreResponse.fromRequest(store);
    response.setStatus(Status.Success);
    callback(response);
  });
  client.on('networkError', (error) => (told.error = String(error)));
  client.on('associationRejected', (reason) => (told.error = JSON.stringify(reason)));
  client.on('closed', () => console.log(JSON.stringify(told)));
  client.send(host, port, calling, called);
}

function held(folder, study) {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.dcm'))
    .map((name) => Dataset.fromFile(path.join(folder, name)))
    .filter((dataset) => dataset.getElement('StudyInstanceUID') === study);
}

function serve(port, title, folder, destinations) {
  class Peer extends Scp {
    associationRequested(association) {
      this.association = association;
      for (const { id } of association.getPresentationContexts()) {
        const context = association.getPresentationContext(id);
        const abstract = context.getAbstractSyntaxUid();
        const offered = context.getTransferSyntaxUids();
        const syntax = SYNTAXES.find((uid) => offered.includes(uid));
        if (!SERVICES.includes(abstract) && !STORAGE.includes(abstract)) {
          context.setResult(PresentationContextResult.RejectAbstractSyntaxNotSupported);
        } else if (syntax === undefined) {
          context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported);
        } else {
          context.setResult(PresentationContextResult.Accept, syntax);
        }
      }
      this.sendAssociationAccept();
    }

    associationReleaseRequested() {
      this.sendAssociationReleaseResponse();
    }

    answer(kind, request, status) {
      const response = kind.fromRequest(request);
      response.setStatus(status);
      return response;
    }

    cEchoRequest(request, callback) {
      callback(this.answer(responses.CEchoResponse, request, Status.Success));
    }

    cStoreRequest(request, callback) {
      write(folder, request.getDataset());
      callback(this.answer(responses.CStoreResponse, request, Status.Success));
    }

    cFindRequest(request, callback) {
      const asked = request.getDataset().getElements();
      const [found] = held(folder, asked.StudyInstanceUID);
      const answers = [];
      if (found) {
        const keys = Object.keys(asked).filter((key) => !key.startsWith('_'));
        const values = keys.map((key) => [key, found.getElement(key) ?? asked[key]]);
        const pending = this.answer(responses.CFindResponse, request, Status.Pending);
        const elements = { ...Object.fromEntries(values), SpecificCharacterSet: 'ISO_IR 192' };
        pending.setDataset(new Dataset(elements, TransferSyntax.ImplicitVRLittleEndian));
        answers.push(pending);
      }
      callback([...answers, this.answer(responses.CFindResponse, request, Status.Success)]);
    }

    cMoveRequest(request, callback) {
      const destination = destinations[request.getDestination?.() ?? request.getCommandDataset().getElement('MoveDestination')];
      if (!destination) {
        callback([this.answer(responses.CMoveResponse, request, Status.MoveDestinationUnknown ?? 0xa801)]);
        return;
      }
      const stores = this.stores(request);
      const client = new Client();
      const counts = this.count(stores);
      stores.forEach((store) => {
        store.setAdditionalTransferSyntaxes(store.getDataset().getTransferSyntaxUid());
        client.addRequest(store);
      });
      client.on('networkError', (error) => console.error(String(error)));
      client.on('closed', () => callback([this.total(responses.CMoveResponse, request, counts)]));
      client.send(destination.host, destination.port, title, destination.title);
    }

    cGetRequest(request, callback) {
      const stores = this.stores(request);
      const counts = this.count(stores, () => callback([this.total(responses.CGetResponse, request, counts)]));
      this.sendRequests(stores);
    }

    stores(request) {
      const study = request.getDataset().getElement('StudyInstanceUID');
      return held(folder, study).map((dataset) => new requests.CStoreRequest(dataset));
    }

    count(stores, whenAll = () => {}) {
      const counts = { completed: 0, failed: stores.length };
      let waiting = stores.length;
      for (const store of stores) {
        store.on('response', (response) => {
          if (response.getStatus() === Status.Success) {
            counts.completed += 1;
            counts.failed -= 1;
          }
          waiting -= 1;
          if (waiting === 0) whenAll();
        });
      }
      return counts;
    }

    total(kind, request, counts) {
      const response = this.answer(kind, request, counts.failed ? 0xb000 : Status.Success);
      response.setCompleted(counts.completed);
      response.setFailures(counts.failed);
      return response;
    }
  }

  const server = new Server(Peer);
  server.on('networkError', (error) => console.error(String(error)));
  server.listen(port, { host: '127.0.0.1' });
}

async function main() {
  await Transcoding.initializeAsync();
  const { act, host, port, calling, called, files, keys, study, destination, folder, destinations } = JSON.parse(process.argv[2]);
  const tell = (request) => ask(request, host, port, calling, called, folder);
  const acts = {
    echo: () => tell(new requests.CEchoRequest()),
    store: () =>
      tell(
        files.map((file) => {
          const request = new requests.CStoreRequest(file);
          request.setAdditionalTransferSyntaxes(request.getDataset().getTransferSyntaxUid());
          return request;
        })
      ),
    find: () => tell(requests.CFindRequest.createStudyFindRequest(keys)),
    move: () => tell(requests.CMoveRequest.createStudyMoveRequest(destination, study)),
    get: () => tell(requests.CGetRequest.createStudyGetRequest(study)),
    serve: () => serve(port, called, folder, destinations),
  };
  acts[act]();
}

main();
