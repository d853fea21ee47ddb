import type { handleBidiStreamingCall, MethodDefinition, Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { ContrailError } from '@contrail/errors';
import { descriptorImage } from '@contrail/proto-gen/descriptor-image';

interface Method {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handle: handleBidiStreamingCall<unknown, unknown>;
}

const methodName = 'ServerReflectionInfo';
const paths = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/${methodName}`);
let methods: ReadonlyMap<string, Method> | undefined;

/**
 * Serves grpc.reflection for every proto of the product. The descriptors are decoded when somebody first asks: that takes
 * half a second, in which a starting process has better things to do.
 */
export function addReflection(server: Server): void {
  for (const path of paths) {
    const definition: MethodDefinition<unknown, unknown> = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (message) => methodOf(path).definition.requestSerialize(message),
      requestDeserialize: (bytes) => methodOf(path).definition.requestDeserialize(bytes),
      responseSerialize: (message) => methodOf(path).definition.responseSerialize(message),
      responseDeserialize: (bytes) => methodOf(path).definition.responseDeserialize(bytes),
    };
    const handle: Method['handle'] = (stream) => {
      methodOf(path).handle(stream);
    };
    server.addService({ [methodName]: definition }, { [methodName]: handle });
  }
}

function methodOf(path: string): Method {
  methods ??= readMethods();
  const found = methods.get(path);
  if (found === undefined) throw new ContrailError('UNIMPLEMENTED', `${path}: is not known to @grpc/reflection`);
  return found;
}

/** What @grpc/reflection would add to a server. */
function readMethods(): Map<string, Method> {
  const found = new Map<string, Method>();
  const recorder = {
    addService: (service: ServiceDefinition, implementation: UntypedServiceImplementation): void => {
      const definition = service[methodName];
      const handle = implementation[methodName] as Method['handle'] | undefined;
      if (definition !== undefined && handle !== undefined) found.set(definition.path, { definition, handle });
    },
  };
  const image = loadFileDescriptorSetFromBuffer(Buffer.from(descriptorImage, 'base64'));
  new ReflectionService(image).addToServer(recorder as unknown as Server);
  return found;
}
