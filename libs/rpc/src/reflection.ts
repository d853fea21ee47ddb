import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { descriptorImage } from '@contrail/proto-gen/descriptor-image';

/** Serves grpc.reflection for every proto of the product. */
export function addReflection(server: Server): void {
  const image = Buffer.from(descriptorImage, 'base64');
  new ReflectionService(loadFileDescriptorSetFromBuffer(image)).addToServer(server);
}
